"""A batch shown to one person alone: where it stands, or the set that they would sign or put back.

The buttons carry the digest of the set that is shown, exactly like those of the card: another set is not signed.
"""

from collections.abc import Mapping, Sequence

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from handlers.blocks.batch_buttons import approve_buttons, rollback_buttons
from handlers.blocks.batch_card import BatchRules, batch_body, batch_headline, counted
from handlers.blocks.batch_outcome import progress_lines
from handlers.blocks.batch_views import fits_window
from handlers.blocks.changes import Shown
from handlers.blocks.names import BATCH_APPROVE_HERE, BATCH_ROLL_BACK_HERE
from handlers.blocks.parts import Message, context, fit, join_first, join_newest, section
from handlers.blocks.pending import three_states
from handlers.blocks.texts import code, escape, place
from remediation.batch_rollbacks import Preview
from remediation.batches import Members, set_digest
from remediation.execution import Restored

_PROGRESS_LIMIT = 1500
_STATES, _NAMES, _MOST_KINDS = 1000, 800, 4
_CUT = (
    "⚠️ *Not all that goes back fits here, so it is not ordered here.* `/playbook rollback EXECUTION` shows one item whole, "
    "and puts that one back."
)


def build_batch_status(members: Members, rules: BatchRules) -> Message:
    """Return where a batch stands, each item step by step, without buttons."""

    def build(room: int) -> list[Block]:
        body = batch_body(members, rules, room, fits_window=fits_window(members))
        lines = progress_lines(members)
        told = section(f"*So far*\n{join_newest(lines, min(4 * room, _PROGRESS_LIMIT))}")
        return [*body.blocks, *([told] if lines else []), _where(members)]

    return Message(_summary(members), fit(build))


def build_batch_to_sign(members: Members, rules: BatchRules) -> Message:
    """Return the set as it waits with its digest, and a button that signs it and no other; where it is cut, the window that shows it."""
    fits = fits_window(members)

    def build(room: int) -> list[Block]:
        body = batch_body(members, rules, room, fits_window=fits)
        buttons = approve_buttons(members, BATCH_APPROVE_HERE, is_whole=body.is_whole, fits_window=fits)
        asks = section("Nothing is signed yet. The button signs exactly this set, and is yours alone.")
        digest = context(f"Set digest {code(set_digest(members.batch.batch_id, members.waiting), 80)}")
        return [*body.blocks, *([asks] if fits else []), _actions(*buttons), digest, _where(members)]

    return Message(_summary(members), fit(build))


def build_batch_to_roll_back(members: Members, rules: BatchRules, preview: Preview) -> Message:
    """Return what a rollback of all would put back, as read just now, what it would leave, and a button that asks once more."""

    def build(room: int) -> list[Block]:
        body = batch_body(members, rules, room, fits_window=True)
        going, is_whole = _going_back(members, preview.settings, room)
        is_whole &= body.shows_rollback
        asks = section(
            "Nothing is put back yet. The button asks once more." if is_whole else _CUT,
        )
        buttons = list(rollback_buttons(members, is_whole=is_whole, action_id=BATCH_ROLL_BACK_HERE))
        stays = _staying(members, preview.refused, room)
        actions = [_actions(*buttons)] if buttons else []
        return [*body.blocks, *going, *stays, asks, *actions, _where(members)]

    return Message(_summary(members), fit(build))


def build_batch_signed(members: Members, count: int) -> Message:
    """Return what a person reads in place of the set that they have just signed."""
    name = escape(members.batch.playbook_name, 200)
    words = f"Your signature on {_many(count)} of {name} is recorded. {_card_place(members)}".strip()
    return Message(words, (section(words),), replaces=True)


def build_batch_rejected(members: Members, count: int) -> Message:
    """Return what a person reads who has rejected a batch by typing."""
    name = escape(members.batch.playbook_name, 200)
    return Message(
        f"{_many(count)} of {name} {'are' if count > 1 else 'is'} rejected. Nothing was changed. {_card_place(members)}".strip()
    )


def build_batch_rollback_ordered(members: Members) -> Message:
    """Return what a person reads in place of the rollback that they have just ordered, where every item took it."""
    waits = any(each.rollback for each in members.returnable)
    said = "waits for another person's signature" if waits else "is done: the card shows each item"
    words = (
        f"The rollback of {escape(members.batch.playbook_name, 200)} {said}. {_card_place(members)}".strip()
    )
    return Message(words, (section(words),), replaces=True)


def _going_back(
    members: Members, settings: Mapping[str, Sequence[Restored]], room: int
) -> tuple[list[Block], bool]:
    """Return what goes back, once for all items alike, and whether nothing of that was cut."""
    alike: dict[str, list[str]] = {}
    texts: dict[str, Shown] = {}
    for execution in members.returnable:
        if (back := settings.get(execution.execution_id)) is not None:
            key = repr([(each.setting, each.was, each.we_set, each.now) for each in back])
            texts[key] = three_states(back, min(_STATES, room))
            alike.setdefault(key, []).append(code(execution.finding.handle, 40))
    kinds = list(alike.items())
    names = {key: join_first(handles, _NAMES, separator=", ") for key, handles in kinds}
    blocks: list[Block] = [
        section(
            f"*What goes back*, as it is at this moment, for {len(handles)} ({names[key]}):\n{texts[key].text}"
        )
        for key, handles in kinds[:_MOST_KINDS]
    ]
    whole = all(texts[key].is_whole and names[key] == ", ".join(handles) for key, handles in kinds)
    return blocks, whole and len(kinds) <= _MOST_KINDS


def _staying(members: Members, refused: Mapping[str, str], room: int) -> list[Block]:
    lines = [
        f"• {code(each.finding.handle, 40)}: {escape(refused[each.execution_id], 300)}"
        for each in members.returnable
        if each.execution_id in refused
    ]
    return [section(f"*Stays as it is*\n{join_first(lines, min(2 * room, 2800))}")] if lines else []


def _summary(members: Members) -> str:
    return f"{escape(batch_headline(members), 600)}: {counted(members.executions)}."


def _many(count: int) -> str:
    return f"{count} fixes" if count > 1 else "1 fix"


def _card_place(members: Members) -> str:
    return f"Its card is in {place(members.batch.channel)}." if members.batch.channel else ""


def _where(members: Members) -> Block:
    return context(f"{code(members.batch.batch_id, 80)}  ·  {_card_place(members)}".removesuffix("  ·  "))


def _actions(*buttons: ButtonElement) -> ActionsBlock:
    return ActionsBlock(block_id="decide", elements=list(buttons))
