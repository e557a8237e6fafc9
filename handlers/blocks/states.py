"""Each state of an execution in words."""

from dataclasses import dataclass

from handlers.blocks.texts import escape
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus


@dataclass(frozen=True, slots=True)
class Wording:
    """How a state reads: the verb in the headline, the sign and sentence below it, the title of the comparison."""

    verb: str
    sign: str
    sentence: str
    changes: str


_S = PlaybookStatus
_WILL, _WOULD, _DID = "What will change", "What would have changed", "What changed"
WORDINGS: dict[PlaybookStatus, Wording] = {
    _S.PENDING: Wording("Approve", "⏳", "Waiting for approval", _WILL),
    _S.APPROVED: Wording(
        "Approved", "✅", "Approved. The resource is read once more before anything runs", _WILL
    ),
    _S.REJECTED: Wording("Rejected", "⛔", "Rejected. Nothing was changed", _WOULD),
    _S.EXPIRED: Wording("Expired", "⌛", "Nobody decided in time. Nothing was changed", _WOULD),
    _S.RUNNING: Wording("Running", "▶️", "Running now", _WILL),
    _S.COMPLETED: Wording("Fixed", "✅", "Done, and verified by reading the resource again", _DID),
    _S.FAILED: Wording("Failed", "❌", "Failed", "What was to change"),
    _S.INTERRUPTED: Wording(
        "Interrupted", "⚠️", "Interrupted. A person has to look at the resource", "What was to change"
    ),
    _S.ROLLING_BACK: Wording("Rolling back", "↩️", "Putting back what was changed", _DID),
    _S.ROLLED_BACK: Wording(
        "Rolled back", "↩️", "Everything is as it was before, verified", "What was changed and put back"
    ),
    _S.ROLLBACK_FAILED: Wording("Rollback failed", "❌", "The rollback failed and needs a person", _DID),
}
_NEVER_WROTE = Wording("Failed", "❌", "Failed. Nothing was changed", _WOULD)
_NOTHING_TO_DO = Wording("Nothing to do", "✅", "The resource already is as it should be", _WOULD)
# A plan that writes to no resource: a person's signature is all there is, or a message.
_BY_HAND: dict[PlaybookStatus, Wording] = {
    _S.PENDING: Wording(
        "Sign", "⏳", "Waiting for a signature. Countersign will change nothing", "For a person to do by hand"
    ),
    _S.COMPLETED: Wording(
        "Signed",
        "✍️",
        "Signed. Countersign changed nothing: the steps are a person's to do",
        "For a person to do by hand",
    ),
}
_NOT_NEEDED = "Not needed: nothing was changed"
_NOTHING_WRITTEN = "Nothing to put back: Countersign changes no resource"
_RAN = {_S.COMPLETED, _S.FAILED, _S.INTERRUPTED}
_ROLLBACKS = {
    _S.REJECTED: _NOT_NEEDED,
    _S.EXPIRED: _NOT_NEEDED,
    _S.ROLLING_BACK: "Under way",
    _S.ROLLED_BACK: "Done, exactly as it was",
    _S.ROLLBACK_FAILED: "Failed. It can be tried again once the reason is mended",
}
ERROR_LIMIT = 1000


def wording(execution: PlaybookExecution) -> Wording:
    """Return how an execution's state reads."""
    idle = execution.plan is not None and not execution.plan.is_needed
    if idle and execution.status is PlaybookStatus.COMPLETED:
        return _NOTHING_TO_DO
    if execution.status is PlaybookStatus.FAILED and not _has_written(execution):
        return _NEVER_WROTE
    if _is_by_hand(execution) and execution.status in _BY_HAND:
        return _BY_HAND[execution.status]
    return WORDINGS[execution.status]


def _is_by_hand(execution: PlaybookExecution) -> bool:
    """Tell whether all there is to do is a person's; a message beside it changes nothing of that."""
    effects = {action.effect for action in execution.plan.actions} if execution.plan else set()
    return "manual" in effects and "change" not in effects


def _has_written(execution: PlaybookExecution) -> bool:
    """Tell whether anything may have been written: the state before is stored ahead of every write."""
    return any(result.before is not None for result in execution.actions)


def rollback_fact(execution: PlaybookExecution, *, approvals: int) -> tuple[str, str]:
    """Return a name and a value for the card: whether this can be put back, or what became of that.

    `approvals` says how many have to sign a rollback: where one is not enough, none comes by itself.
    """
    if told := _ROLLBACKS.get(execution.status):
        return ("Rollback", told)
    if execution.status in _RAN and not _has_written(execution):
        return ("Rollback", _NOT_NEEDED)
    if execution.playbook.get("rollback_enabled") is False:
        return ("Can be rolled back", "No, the playbook forbids it")
    if execution.plan is not None and not execution.plan.changing:
        return ("Rollback", _NOTHING_WRITTEN)
    if execution.plan is None or not execution.plan.reversible:
        return ("Can be rolled back", "*No*")
    is_wanted = execution.playbook.get("rollback_on_failure") is True
    by_itself = execution.status not in _RAN and is_wanted and approvals <= 1
    told = "; what was sent stays sent" if _sends(execution) else ""
    return (
        "Can be rolled back",
        "Yes, exactly as it was" + (", and by itself if a step fails" if by_itself else "") + told,
    )


def _sends(execution: PlaybookExecution) -> bool:
    plans = execution.plan.actions if execution.plan else ()
    return any(plan.effect == "message" and plan.is_needed for plan in plans)


def headline(execution: PlaybookExecution) -> str:
    """Return the verb and the playbook's name, as plain text."""
    return f"{wording(execution).verb}: {execution.playbook_name}"


def status_sentence(execution: PlaybookExecution, *, room: int = ERROR_LIMIT) -> str:
    """Return the state as a sentence in mrkdwn, with the error where there is one, cut to `room` characters."""
    words = wording(execution)
    error = f" {escape(execution.error, min(room, ERROR_LIMIT))}" if execution.error else ""
    return f"{words.sign} *{words.sentence}.*{error}"
