"""What still waits for a person beside the decision itself: a rollback to be signed, broken glass to be reviewed."""

from slack_sdk.models.blocks import Block

from handlers.blocks.parts import join_first, section
from handlers.blocks.texts import code, escape, mention, moment
from remediation.actions.contract import show_value
from remediation.execution import PlaybookExecution, Restored
from remediation.policy import count_people


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
    """Return the rollback that waits: who asked, how many have signed, and each setting that goes back."""
    asked = execution.rollback
    if asked is None:
        return []
    signed = count_people(each.actor for each in execution.decisions if each.plan_digest == asked.digest)
    lines = [_line(each) for each in asked.settings]
    head = (
        f"*Rollback asked for by {mention(asked.requester)}.* {signed} of {needed} approvals, until {moment(asked.expires_at)}. "
        "What goes back (now → as it was before):"
    )
    return [section(f"{head}\n{join_first(lines, room)}")]


def _line(each: Restored) -> str:
    values = f"{code(show_value(each.now), 120)} → {code(show_value(each.was), 120)}"
    return f"• {code(each.setting, 120)}  {values}, we set {code(show_value(each.we_set), 120)}"
