"""Progress: one reply below the card, edited in place, drawn from the stored journal."""

from handlers.blocks.parts import Message, join_newest, section
from handlers.blocks.states import status_sentence, wording
from handlers.blocks.texts import code, escape, mention, moment
from remediation.execution import ActionResult, Decision, PlaybookExecution, Verdict
from remediation.states import ActionStatus

_LONGEST = 2900
_SIGNS = {
    ActionStatus.PLANNED: "▫️",
    ActionStatus.STARTED: "▶️",
    ActionStatus.COMPLETED: "✅",
    ActionStatus.FAILED: "❌",
    ActionStatus.SKIPPED: "▫️",
    ActionStatus.ROLLING_BACK: "↩️",
    ActionStatus.ROLLED_BACK: "↩️",
    ActionStatus.ROLLBACK_FAILED: "❌",
}
_VERBS = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.ROLL_BACK: "ordered the rollback",
    Verdict.DONE: "found that it was done",
    Verdict.NOT_DONE: "found that it was not done",
    Verdict.TRY_AGAIN: "had it tried again",
    Verdict.ASK_ROLLBACK: "asked for the rollback",
    Verdict.SIGN_ROLLBACK: "approved the rollback",
    Verdict.REFUSE_ROLLBACK: "refused the rollback",
    Verdict.BREAK_GLASS: "🚨 broke the glass",
    Verdict.REVIEWED: "reviewed the broken glass",
}


def has_progress(execution: PlaybookExecution) -> bool:
    """Tell whether anything happened on this revision that is worth a reply."""
    return bool(_decisions(execution)) or execution.started_at is not None


def build_progress(execution: PlaybookExecution) -> Message:
    """Return the reply: who decided, what became of each action, where it stands."""
    lines = [*progress_lines(execution), status_sentence(execution)]
    text = f"{escape(execution.playbook_name, 200)}: {wording(execution).sentence}."
    return Message(text, (section(join_newest(lines, _LONGEST)),))


def progress_lines(execution: PlaybookExecution) -> list[str]:
    """Return who decided on the plan as it stands, and what became of each action."""
    decided = [_decision_line(decision) for decision in _decisions(execution)]
    return [*decided, *(action_line(result) for result in execution.actions)]


def build_superseded_progress() -> Message:
    """Return what is left of the reply below a superseded card."""
    words = "🔁 *The resource changed, so nothing ran.* A newer card shows what changed."
    return Message(
        "The resource changed, so nothing ran. A newer card shows what changed.", (section(words),)
    )


def _decisions(execution: PlaybookExecution) -> list[Decision]:
    return [decision for decision in execution.decisions if decision.revision == execution.revision]


def _decision_line(decision: Decision) -> str:
    reason = f": {escape(decision.reason, 1000)}" if decision.reason else ""
    return f"{moment(decision.at)}  {mention(decision.actor)} {_VERBS[decision.verdict]}{reason}"


def action_line(result: ActionResult) -> str:
    """Return what became of one action, and when."""
    at = result.ended_at or result.started_at
    when = f"{moment(at)}  " if at else ""
    error = f" {escape(result.error, 1000)}" if result.error else ""
    return f"{when}{_SIGNS[result.status]} {code(result.action_name, 100)}  {escape(result.message, 300)}.{error}"
