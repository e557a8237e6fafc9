"""Buttons about an execution, on its card and on what one person alone is shown: each knows which plan it stood under."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from handlers.blocks.changes import restored
from handlers.blocks.names import CardRef
from handlers.blocks.texts import plain
from remediation.execution import PlaybookExecution

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


def confirm_rollback(execution: PlaybookExecution) -> ConfirmObject:
    """Return the dialog that says what a rollback would put back, and asks once more."""
    return ConfirmObject(
        title="Roll back this fix?",
        text=PlainTextObject(text=restored(execution), emoji=False),
        confirm="Roll back",
        deny="Cancel",
        style="danger",
    )
