"""What still waits for a person beside the decision itself: a rollback to be signed, broken glass to be reviewed."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from handlers.blocks.parts import join_first, section
from handlers.blocks.texts import code, escape, listed, mention, moment
from remediation.actions.contract import show_value
from remediation.execution import PlaybookExecution, Restored, RollbackRequest
from remediation.rollback import rollback_signatures, rollback_signers

_MOST_SIGNERS = 10


def emergency_blocks(execution: PlaybookExecution) -> list[Block]:
    """Return what an approver has to know of broken glass that nobody has reviewed."""
    glass = execution.unreviewed
    if glass is None:
        return []
    until = f" until {moment(execution.review_due_at)}" if execution.review_due_at else ""
    words = (
        f"🚨 *{mention(glass.actor)} broke the glass and approved this alone:* {escape(glass.reason, 500)}"
    )
    return [section(f"{words}\nA second approver has to review it{until}.")]


def rollback_blocks(execution: PlaybookExecution, *, needed: int, room: int) -> list[Block]:
    """Return the rollback that waits: who asked, who has signed, and each setting that goes back."""
    asked = execution.rollback
    if asked is None:
        return []
    head = f"*{rollback_sentence(execution, asked, needed=needed)}* What goes back, as it was read then:"
    return [section(f"{head}\n{three_states(asked.settings, room)}")]


def rollback_sentence(execution: PlaybookExecution, asked: RollbackRequest, *, needed: int) -> str:
    """Return who asked for the rollback that waits, who has signed it, and until when it may be signed."""
    signers = [mention(decision.actor) for decision in rollback_signatures(execution)][:_MOST_SIGNERS]
    by = f" ({listed(signers)})" if signers else ""
    return (
        f"Rollback asked for by {mention(asked.requester)}. {rollback_signers(execution)} of {needed} approvals{by}, "
        f"until {moment(asked.expires_at)}."
    )


def preview_blocks(settings: Sequence[Restored], room: int) -> list[Block]:
    """Return what a rollback would put back, as it was read just now."""
    return [section(f"*What goes back*, as it is at this moment:\n{three_states(settings, room)}")]


def three_states(settings: Sequence[Restored], room: int) -> str:
    """Return each setting with its value before the fix, the one the fix set, and the one it has now."""
    return join_first([_line(each) for each in settings], room)


def _line(each: Restored) -> str:
    was, we_set, now = (code(show_value(value), 120) for value in (each.was, each.we_set, each.now))
    return f"• {code(each.setting, 120)}  was {was}, we set {we_set}, now {now}: back to {was}"
