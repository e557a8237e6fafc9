"""What a run that was interrupted left half done, where the action can tell that it is ours: it is finished, or can be put back.

Which states those are the action says (`Action.half_ways`), from the state before, the one planned, and the order of its writes. What
is half done and is none of them stays for a person to judge.
"""

from collections.abc import Sequence
from dataclasses import replace

from audit.errors import CountersignError, RefusedError
from remediation.actions.contract import HalfWay
from remediation.actions.registry import Step
from remediation.attempt import do, look
from remediation.execution import PlaybookExecution
from remediation.journal import KINDS, Journal, plans_of
from remediation.plan import ActionPlan
from remediation.planning import Planner
from remediation.resuming import is_resumable, refuse_unsigned
from remediation.states import ActionStatus


def finish_half_way(
    journal: Journal, planner: Planner, execution: PlaybookExecution, steps: Sequence[Step]
) -> PlaybookExecution:
    """Finish each action that is half done by nobody but us; `FAILED`, and to be put back by hand, where it cannot be finished.

    Args:
        journal: where it is written down.
        planner: knows the rules in force.
        execution: one that this process has taken over.
        steps: the playbook's steps; none where its text can no longer be used, and then nothing is told.
    """
    for position, (step, plan) in enumerate(zip(steps, plans_of(execution), strict=False)):
        if execution.actions[position].status is ActionStatus.STARTED and step.action.verifiable:
            execution = _finish(journal, planner, execution, position, step, plan)
    return execution


def _finish(  # noqa: PLR0913, PLR0917 - private, and called once
    journal: Journal,
    planner: Planner,
    execution: PlaybookExecution,
    position: int,
    step: Step,
    plan: ActionPlan,
) -> PlaybookExecution:
    seen = look(step, plan)
    half_way = next((each for each in step.action.half_ways(plan) if each.state == seen), None)
    if half_way is None:
        return execution
    started = execution.actions[position]
    try:
        _refuse_going_on(planner, execution, step, plan, half_way)
    except CountersignError as error:
        why = f"It was interrupted half-way and does not go on: {error.explain().removesuffix('.')}. Roll it back, then request it again."
        left = replace(
            started, status=ActionStatus.FAILED, message="Half done", error=why, observed=half_way.state
        )
        return journal.record(execution, position, left, KINDS[left.status], found=dict(half_way.state))
    going_on = replace(started, message="Going on from half-way")
    execution = journal.record(execution, position, going_on, "action.resumed", found=dict(half_way.state))
    result = do(step, plan)
    ended = replace(
        result,
        message=result.message or "Finished after an interruption, and verified",
        before=started.before,
        started_at=started.started_at,
        ended_at=journal.clock(),
    )
    return journal.record(execution, position, ended, KINDS[ended.status])


def _refuse_going_on(
    planner: Planner, execution: PlaybookExecution, step: Step, plan: ActionPlan, half_way: HalfWay
) -> None:
    """Refuse to do the rest. The plan cannot be drawn up anew in the middle; the rules are those it was drawn up under, and tags may be new.

    Raises:
        RefusedError: with the reason.
    """
    if half_way.why_not:
        raise RefusedError(half_way.why_not)
    if not is_resumable(step, plan):
        raise RefusedError(f"{plan.action_name} is never taken up again by itself")
    refuse_unsigned(planner, execution)
    if planner.policy.protection.tags:
        raise RefusedError("Whether a tag protects it by now cannot be told in the middle")
