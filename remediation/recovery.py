"""What to make of a run that ended in the middle: its process died, or something broke that nobody foresaw.

Nothing is ever done again here. The resource is read, and what it shows is written down: an action whose intent was
committed is done, not done, or nobody can tell. Then a person has a card with a way on.
"""

from collections.abc import Sequence
from dataclasses import replace

from audit.errors import ActionError
from remediation.actions.manual import ByHand
from remediation.actions.registry import Step
from remediation.execution import ActionResult, PlaybookExecution
from remediation.journal import KINDS, Journal, plans_of
from remediation.plan import ActionPlan, State
from remediation.states import ActionStatus, PlaybookStatus

UNKNOWN = "Interrupted; nobody can tell whether it was done"
UNSENT = "Interrupted; nobody can tell whether it was sent, so it is not sent again. Pass it on yourself."
_SETTLED = {ActionStatus.COMPLETED, ActionStatus.SKIPPED}


def recover_run(journal: Journal, execution: PlaybookExecution, steps: Sequence[Step]) -> PlaybookExecution:
    """Settle a run: `COMPLETED`, `FAILED`, or `INTERRUPTED` where an action cannot be classified.

    Args:
        journal: where it is written down.
        execution: a `RUNNING` one that nobody works on.
        steps: the playbook's steps; empty where its text can no longer be used, and then nothing can be told.
    """
    for position, plan in enumerate(plans_of(execution)):
        if execution.actions[position].status is ActionStatus.STARTED:
            step = steps[position] if steps else None
            result = _classify(execution.actions[position], step, plan)
            execution = journal.record(execution, position, result, KINDS[result.status])
    statuses = {result.status for result in execution.actions}
    if ActionStatus.STARTED in statuses:
        return journal.end(execution, PlaybookStatus.INTERRUPTED, error=f"{UNKNOWN}. Look at the resource.")
    if statuses <= _SETTLED:
        return journal.end(execution, PlaybookStatus.COMPLETED)
    rest = "The run was interrupted and not everything was done. Request the fix again, or roll back what was done."
    return journal.end(execution, PlaybookStatus.FAILED, error=rest)


def recover_rollback(journal: Journal, execution: PlaybookExecution) -> PlaybookExecution:
    """Settle a rollback that nobody works on: it may be asked for again, and does only what is left to do."""
    error = "The rollback was interrupted. Roll back again: what is back already stays as it is."
    return journal.end(execution, PlaybookStatus.ROLLBACK_FAILED, error=error)


def _classify(started: ActionResult, step: Step | None, plan: ActionPlan) -> ActionResult:
    if plan.effect == "message":
        return replace(started, status=ActionStatus.FAILED, message="Not known to be sent", error=UNSENT)
    if plan.effect == "manual":
        return replace(started, status=ActionStatus.COMPLETED, message=ByHand.done)
    state = _read(step, plan)
    if state == plan.after:
        return replace(started, status=ActionStatus.COMPLETED, message="Found done after an interruption")
    if state == plan.before:
        not_done = "Interrupted before the write; the resource is as it was"
        return replace(started, status=ActionStatus.FAILED, message="Not done", error=not_done, before=None)
    return replace(started, message=UNKNOWN, observed=state)


def _read(step: Step | None, plan: ActionPlan) -> State | None:
    """Return the resource's state; None where it cannot be read, or what is read says nothing."""
    if step is None or not step.action.verifiable:
        return None
    try:
        return dict(step.action.observe(plan))
    except ActionError:
        return None
