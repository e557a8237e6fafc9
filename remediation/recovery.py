"""What to make of a run that ended in the middle: its process died, or something broke that nobody foresaw.

First the execution is taken over by a stored change, so that a former owner who was only frozen can write nothing down any
more, and begins nothing more. Then the resource is read, and an action whose intent was committed is done, not done, or
nobody can tell. What is not done goes on only where doing it twice is harmless, what was done can be read back, and what
people signed still holds; else a person has a card with a way on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from audit.actor import WORKER
from audit.errors import ActionError, CountersignError, StateError
from remediation.actions.manual import ByHand
from remediation.actions.registry import Step
from remediation.attempt import UNVERIFIED, look
from remediation.events import change_event
from remediation.execution import ActionResult, PlaybookExecution
from remediation.half_way import finish_half_way
from remediation.journal import KINDS, Journal, plans_of
from remediation.plan import ActionPlan, State
from remediation.planning import Planner
from remediation.ports import ExceptionGate
from remediation.resuming import MOST_TAKEOVERS, refuse_resuming
from remediation.states import ActionStatus, PlaybookStatus

UNKNOWN = "Interrupted; nobody can tell whether it was done"
UNSENT = "Interrupted; nobody can tell whether it was sent, so it is not sent again. Pass it on yourself."
UNBEGUN = "Interrupted before it was sent, and it is not sent by itself. Pass it on yourself."
NOT_DONE = "Interrupted before the write; the resource is as it was"
HALF_BACK = "The rollback was interrupted. Roll back again: what is back already stays as it is."
_SETTLED = {ActionStatus.COMPLETED, ActionStatus.SKIPPED}

Found = dict[int, ActionResult]
RunOn = Callable[[PlaybookExecution, list[Step]], PlaybookExecution]


def recover_run(
    journal: Journal,
    planner: Planner,
    execution: PlaybookExecution,
    run_on: RunOn,
    *,
    exceptions: ExceptionGate,
) -> PlaybookExecution:
    """Take a run over and bring it to an end: on to where it was going, or to a state that says where it stands.

    Args:
        journal: where it is written down.
        planner: knows the playbook's steps, and the rules.
        execution: a `RUNNING` one that nobody works on.
        run_on: does what is `PLANNED` and ends the execution.
        exceptions: are asked once more before anything that was not begun.
    """
    execution = take_over(journal, execution)
    if _goes_round(execution):
        error = f"It was interrupted {execution.takeovers} times. Look at the resource."
        return journal.end(execution, PlaybookStatus.INTERRUPTED, error=error)
    steps = steps_if_usable(planner, execution)
    execution = finish_half_way(journal, planner, execution, steps)
    found = _look(execution, steps)
    if any(result.status is ActionStatus.STARTED for result in found.values()):
        execution = _record(journal, execution, found)
        return journal.end(execution, PlaybookStatus.INTERRUPTED, error=f"{UNKNOWN}. Look at the resource.")
    if steps and _has_failed(execution, found):
        # It ends as without the interruption: with that step's error, and put back where the playbook says so.
        return run_on(_record(journal, execution, found), steps)
    found = {**_unsent(execution), **found}
    seen = replace(execution, actions=_with(execution.actions, found))
    if {result.status for result in seen.actions} <= _SETTLED:
        return journal.end(_record(journal, execution, found), PlaybookStatus.COMPLETED)
    try:
        refuse_resuming(planner, seen, steps, exceptions=exceptions)
    except CountersignError as error:
        execution = _record(journal, execution, {**found, **_not_done(found)})
        return journal.end(execution, PlaybookStatus.FAILED, error=_account(execution, error))
    return run_on(_record(journal, execution, found), steps)


def take_over(journal: Journal, execution: PlaybookExecution) -> PlaybookExecution:
    """Become the owner of an execution; whoever had it can store nothing about it from here on.

    Raises:
        StateError: whoever has it may be alive, or somebody was faster. Nothing is written.
    """
    taken = replace(execution, owner=journal.owner, takeovers=execution.takeovers + 1)
    detail = {"former_owner": execution.owner}
    if execution.owner == journal.owner:  # left by a thread of ours; `InHand` says that none is at it
        return journal.save(execution, taken, "execution.taken_over", detail)
    last_heard = require_lost(journal, execution.owner)
    event = change_event("execution.taken_over", WORKER, taken, at=journal.clock(), detail=detail)
    stored = journal.store.take_over(execution, taken, event, last_heard=last_heard)
    journal.notifier.changed(stored.execution_id)
    return stored


def require_lost(journal: Journal, owner: str) -> datetime | None:
    """Return what a lost owner said last, which is to be what it still says when it is replaced; None where it never said anything.

    Raises:
        StateError: it may be alive.
    """
    last_heard = journal.store.heard().get(owner)
    if not journal.watch.has_lost(owner, last_heard):
        raise StateError(f"{owner} may be alive, and keeps what it works on")
    return last_heard


def recover_rollback(journal: Journal, planner: Planner, execution: PlaybookExecution) -> PlaybookExecution:
    """Settle a rollback that nobody works on: where not all is back, it may be asked for again, and does what is left to do.

    What was left half done is known by its settings, each as before or as planned, or by being one of the action's `half_ways_back`.
    Nothing else that the resource shows is taken for ours.
    """
    execution = take_over(journal, execution)
    if _goes_round(execution):
        return journal.end(execution, PlaybookStatus.ROLLBACK_FAILED, error=HALF_BACK)
    steps = steps_if_usable(planner, execution)
    found = {
        position: _classify_undone(execution.actions[position], steps[position] if steps else None, plan)
        for position, plan in enumerate(plans_of(execution))
        if execution.actions[position].status is ActionStatus.ROLLING_BACK
    }
    execution = _record(journal, execution, found)
    if all(each.status is ActionStatus.ROLLED_BACK for each in execution.actions if each.before is not None):
        return journal.end(execution, PlaybookStatus.ROLLED_BACK)
    return journal.end(execution, PlaybookStatus.ROLLBACK_FAILED, error=HALF_BACK)


def _goes_round(execution: PlaybookExecution) -> bool:
    """Tell whether looking at it fails each time, in a way that nobody foresaw: where it may go on, that is refused one takeover before."""
    return execution.takeovers > MOST_TAKEOVERS + 1


def steps_if_usable(planner: Planner, execution: PlaybookExecution) -> list[Step]:
    """Return the playbook's steps; none where its text can no longer be used, and then nothing can be told."""
    try:
        steps = planner.stored_steps(execution.playbook, execution.finding)
    except CountersignError:
        return []
    return steps if len(steps) == len(execution.actions) else []


def _look(execution: PlaybookExecution, steps: Sequence[Step]) -> Found:
    """Return what became of the actions whose intent was committed."""
    return {
        position: _classify(execution.actions[position], steps[position] if steps else None, plan)
        for position, plan in enumerate(plans_of(execution))
        if execution.actions[position].status is ActionStatus.STARTED
    }


def _classify(started: ActionResult, step: Step | None, plan: ActionPlan) -> ActionResult:
    """Return what became of an action: `COMPLETED`, `PLANNED` where it was not done, `STARTED` where nobody can tell."""
    if plan.effect == "message":
        return replace(started, status=ActionStatus.FAILED, message="Not known to be sent", error=UNSENT)
    if plan.effect == "manual":
        return replace(started, status=ActionStatus.COMPLETED, message=ByHand.done)
    state = _read(step, plan)
    if step and state == plan.after:
        return _found_done(started, step, plan)
    if state == plan.before:
        return replace(started, status=ActionStatus.PLANNED, message="Found not done", before=None)
    # What it shows may be anybody's: it never counts as what we left, and so no rollback writes over it.
    return replace(started, message=UNKNOWN)


def _has_failed(execution: PlaybookExecution, found: Found) -> bool:
    """Tell whether a write was found not to be what was promised."""
    seen = zip(_with(execution.actions, found), plans_of(execution), strict=True)
    return any(result.status is ActionStatus.FAILED and plan.effect == "change" for result, plan in seen)


def _found_done(started: ActionResult, step: Step, plan: ActionPlan) -> ActionResult:
    """Return an action that was done, verified as it would have been without the interruption: settings alone may not say all."""
    try:
        step.action.verify(plan)
    except ActionError as error:
        return replace(started, status=ActionStatus.FAILED, message=UNVERIFIED, error=error.explain())
    return replace(started, status=ActionStatus.COMPLETED, message="Found done after an interruption")


def _classify_undone(undoing: ActionResult, step: Step | None, plan: ActionPlan) -> ActionResult:
    """Return what became of an action that was being put back."""
    seen = _read(step, plan)
    if step and seen == plan.before:
        return _found_back(undoing, step, plan)
    is_ours = step is not None and seen in step.action.half_ways_back(plan)
    return replace(
        undoing,
        status=ActionStatus.ROLLBACK_FAILED,
        message="Interrupted while it was put back",
        observed=seen if is_ours else undoing.observed,
    )


def _found_back(undoing: ActionResult, step: Step, plan: ActionPlan) -> ActionResult:
    """Return an action that was put back, verified as it would have been without the interruption."""
    try:
        step.action.verify_rollback(plan)
    except ActionError as error:
        return replace(
            undoing, status=ActionStatus.ROLLBACK_FAILED, message=UNVERIFIED, error=error.explain()
        )
    return replace(undoing, status=ActionStatus.ROLLED_BACK, message="Found back after an interruption")


def _unsent(execution: PlaybookExecution) -> Found:
    """Return the messages that were not begun: whether they still are of use is for a person to say."""
    return {
        position: replace(result, status=ActionStatus.FAILED, message="Not sent", error=UNBEGUN)
        for position, (result, plan) in enumerate(zip(execution.actions, plans_of(execution), strict=True))
        if result.status is ActionStatus.PLANNED and plan.effect == "message"
    }


def _not_done(found: Found) -> Found:
    return {
        position: replace(result, status=ActionStatus.FAILED, message="Not done", error=NOT_DONE)
        for position, result in found.items()
        if result.status is ActionStatus.PLANNED
    }


def _read(step: Step | None, plan: ActionPlan) -> State | None:
    """Return the resource's state; None where it cannot be read, or what is read says nothing."""
    return look(step, plan) if step and step.action.verifiable else None


def _record(journal: Journal, execution: PlaybookExecution, found: Found) -> PlaybookExecution:
    for position, result in found.items():
        execution = journal.record(execution, position, result, KINDS[result.status])
    return execution


def _with(actions: Iterable[ActionResult], found: Found) -> tuple[ActionResult, ...]:
    return tuple(found.get(position, result) for position, result in enumerate(actions))


def _account(execution: PlaybookExecution, error: CountersignError) -> str:
    """Say exactly what was done and what was not, and why it does not go on by itself."""
    done = [each.action_name for each in execution.actions if each.status is ActionStatus.COMPLETED]
    left = [each.action_name for each in execution.actions if each.status not in _SETTLED]
    return (
        f"The run was interrupted. Done: {', '.join(done) or 'nothing'}. Not done: {', '.join(left)}. "
        f"It does not go on by itself: {error.explain().removesuffix('.')}. "
        "Request the fix again, or roll back what was done."
    )
