"""The buttons of a batch, on its card and on what one person alone is shown: each carries the digest of the set it stood under."""

from collections.abc import Iterator

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from handlers.blocks.names import (
    BATCH_APPROVE,
    BATCH_CHANGES,
    BATCH_CHOOSE,
    BATCH_REFUSE_ROLLBACK,
    BATCH_REJECT,
    BATCH_ROLL_BACK,
    BatchRef,
)
from handlers.blocks.parts import join_first
from handlers.blocks.texts import plain
from remediation.batches import Members, return_digest, set_digest


def decision_buttons(members: Members, *, is_whole: bool, fits_window: bool) -> Iterator[ButtonElement]:
    """Yield what may be said about the items that wait; where none does, the window that shows each."""
    if not members.waiting:
        yield _button(members, BATCH_CHANGES, "All changes…", _set(members))
        return
    yield from approve_buttons(members, BATCH_APPROVE, is_whole=is_whole, fits_window=fits_window)
    yield _button(members, BATCH_CHOOSE, "Choose…", _set(members))
    name = "Reject all…" if len(members.waiting) > 1 else "Reject…"
    yield _button(members, BATCH_REJECT, name, _set(members), style="danger")


def approve_buttons(
    members: Members, action_id: str, *, is_whole: bool, fits_window: bool
) -> Iterator[ButtonElement]:
    """Yield the button that signs where all of it can be seen, and the window; nobody signs what was cut."""
    if is_whole:
        name = "Approve all" if len(members.waiting) > 1 else "Approve"
        yield _button(members, action_id, name, _set(members), style="primary")
    only_there = fits_window and not is_whole
    name = "Review and approve…" if only_there else "All changes…"
    yield _button(members, BATCH_CHANGES, name, _set(members), style="primary" if only_there else None)


def rollback_buttons(
    members: Members, *, is_whole: bool, action_id: str = BATCH_ROLL_BACK
) -> Iterator[ButtonElement]:
    """Yield what may be said about a rollback; nobody signs one that is not shown whole."""
    batch, asked = members.batch, any(each.rollback for each in members.returnable)
    ref = BatchRef(batch.batch_id, return_digest(batch.batch_id, members.returnable))
    count = len(members.returnable)
    name = "Approve rollback…" if asked else "Roll back all…" if count > 1 else "Roll back…"
    if is_whole:
        yield _button(members, action_id, name, ref, confirm=_confirm(members))
    if asked:
        yield _button(members, BATCH_REFUSE_ROLLBACK, "Refuse rollback", ref, style="danger")


def _set(members: Members) -> BatchRef:
    batch = members.batch
    return BatchRef(batch.batch_id, set_digest(batch.batch_id, members.waiting) if members.waiting else "")


def _confirm(members: Members) -> ConfirmObject:
    names = [
        plain(each.finding.resource.rpartition(":")[2].rpartition("/")[2], 40) for each in members.returnable
    ]
    which = join_first(names, 150, separator=", ")
    words = f"Each goes back to what it was before this fix: {which}. What somebody changed since is left alone, and named."
    return ConfirmObject(
        title="Roll back this batch?",
        text=PlainTextObject(text=plain(words, 300), emoji=False),
        confirm="Roll back",
        deny="Cancel",
        style="danger",
    )


def _button(  # noqa: PLR0913 - private, and all are named where it matters
    members: Members,
    action_id: str,
    text: str,
    ref: BatchRef,
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    return ButtonElement(
        text=PlainTextObject(text=text, emoji=False),
        action_id=action_id,
        value=ref.value,
        style=style,
        confirm=confirm,
        accessibility_label=plain(f"{text.rstrip('…')}: {members.batch.playbook_name}", 75),
    )
