"""Buttons about an execution, on its card and on what one person alone is shown: each knows which plan it stood under."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from handlers.blocks.changes import plans_of, restored
from handlers.blocks.names import (
    APPROVE,
    BREAK_GLASS,
    DONE,
    HOME_ROLL_BACK,
    NOT_DONE,
    REFUSE_ROLLBACK,
    REJECT,
    REVIEWED,
    ROLL_BACK,
    TRY_AGAIN,
    CardRef,
)
from handlers.blocks.texts import plain
from remediation.execution import PlaybookExecution
from remediation.states import LIVE, ActionStatus, PlaybookStatus

_LABEL_LIMIT = 75


def execution_button(
    execution: PlaybookExecution,
    action_id: str,
    text: str,
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    """Return a button that carries the execution and the revision it is shown with."""
    ref = CardRef.of(execution)
    return ButtonElement(
        text=PlainTextObject(text=text, emoji=False),
        action_id=action_id,
        value=ref.value,
        style=style,
        confirm=confirm,
        accessibility_label=plain(f"{text.rstrip('…')}: {execution.playbook_name}", _LABEL_LIMIT),
    )


def card_buttons(
    execution: PlaybookExecution, *, can_approve: bool, can_sign: bool, can_break_glass: bool
) -> list[ButtonElement]:
    """Return what can be done about an execution where it stands; `can_sign` tells whether all of a rollback is shown."""
    buttons: list[ButtonElement] = []
    if execution.status is PlaybookStatus.PENDING:
        approve = [execution_button(execution, APPROVE, "Approve", style="primary")] if can_approve else []
        buttons = [*approve, execution_button(execution, REJECT, "Reject…", style="danger")]
        if can_break_glass:
            buttons.append(execution_button(execution, BREAK_GLASS, "Break glass…", style="danger"))
    if execution.status is PlaybookStatus.INTERRUPTED:
        buttons = _settling(execution)
    if execution.can_roll_back:
        buttons = [*buttons, roll_back_button(execution, ROLL_BACK, can_sign=can_sign)]
    if execution.can_roll_back and execution.rollback:
        buttons.append(execution_button(execution, REFUSE_ROLLBACK, "Refuse rollback", style="danger"))
    if execution.unreviewed and execution.status not in LIVE:
        buttons.append(execution_button(execution, REVIEWED, "Reviewed"))
    return buttons


def roll_back_button(execution: PlaybookExecution, action_id: str, *, can_sign: bool) -> ButtonElement:
    """Return the button that orders or signs a rollback; one that opens its window where not all of it could be shown."""
    if not can_sign:
        return execution_button(execution, HOME_ROLL_BACK, "Look and sign…")
    name = "Approve rollback…" if execution.rollback else "Roll back…"
    return execution_button(execution, action_id, name, confirm=confirm_rollback(execution))


def _settling(execution: PlaybookExecution) -> list[ButtonElement]:
    """Return a person's ways on after an interruption; trying again only where twice does no harm."""
    started = [
        plan
        for plan, result in zip(plans_of(execution), execution.actions, strict=False)
        if result.status is ActionStatus.STARTED
    ]
    buttons = [
        execution_button(execution, DONE, "It was done", confirm=_confirm_found("was done")),
        execution_button(execution, NOT_DONE, "It was not done", confirm=_confirm_found("was not done")),
    ]
    if started and all(plan.idempotent for plan in started):
        buttons.append(execution_button(execution, TRY_AGAIN, "Try again", confirm=_confirm_again()))
    return buttons


def _confirm_found(what: str) -> ConfirmObject:
    words = (
        f"You have looked at the resource, and what was interrupted {what}. This is recorded under your name."
    )
    return ConfirmObject(
        title=f"It {what}?",
        text=PlainTextObject(text=words, emoji=False),
        confirm=f"It {what}",
        deny="Cancel",
    )


def _confirm_again() -> ConfirmObject:
    words = (
        "The resource is read first. Only if it still is as it was before is the change written once more."
    )
    return ConfirmObject(
        title="Try this fix again?",
        text=PlainTextObject(text=words, emoji=False),
        confirm="Try again",
        deny="Cancel",
    )


def confirm_rollback(execution: PlaybookExecution) -> ConfirmObject:
    """Return the dialog that says what a rollback would put back, and asks once more."""
    return ConfirmObject(
        title="Roll back this fix?",
        text=PlainTextObject(text=restored(execution), emoji=False),
        confirm="Roll back",
        deny="Cancel",
        style="danger",
    )
