"""Whether a run that was interrupted may go on without asking anybody again: all that was signed has to hold still.

Somebody may have granted an exception for its finding meanwhile. Then no other action of the run is begun, as no run would be: whoever
answers for leaving things as they are does not expect another write. One that was in the middle of its writes is finished all the same, where
it may be (`half_way`): half of a change is neither what was approved nor what the exception is about, it may be worse than either, and the
rest of it is under the same signature. What is done by then is told, and a person decides whether it is put back.
"""

from collections.abc import Sequence

from audit.errors import RefusedError
from remediation.actions.registry import Step
from remediation.attempt import require_unchanged
from remediation.excepting import refuse_excepted
from remediation.execution import PlaybookExecution
from remediation.journal import plans_of
from remediation.plan import ActionPlan
from remediation.planning import Planner
from remediation.policy import is_approved, refuse_time
from remediation.ports import ExceptionGate
from remediation.states import ActionStatus

# A run that ends in the middle this often has another trouble than a process that died.
MOST_TAKEOVERS = 3


def refuse_resuming(
    planner: Planner, execution: PlaybookExecution, steps: Sequence[Step], *, exceptions: ExceptionGate
) -> None:
    """Let a run go on whose `PLANNED` actions may be done now, without asking anybody again.

    Raises:
        CountersignError: they may not; with the reason.
    """
    _refuse_messages_alone(execution)
    if not steps:
        raise RefusedError("The playbook can no longer be used as it was signed")
    refuse_unsigned(planner, execution)
    refuse_excepted(exceptions, execution.finding, now=planner.clock())
    left = [
        (position, step, plan)
        for position, (step, plan) in enumerate(zip(steps, plans_of(execution), strict=True))
        if execution.actions[position].status is ActionStatus.PLANNED and plan.effect != "message"
    ]
    for _, step, plan in left:
        if not is_resumable(step, plan):
            raise RefusedError(f"{plan.action_name} is never taken up again by itself")
        require_unchanged(step.action.observe(plan), plan)
    redrawn = planner.redraw(execution.playbook, execution.finding)[0]
    if any(redrawn.actions[position].signed() != plan.signed() for position, _, plan in left):
        raise RefusedError("What is left to do is no longer what was signed")


def _refuse_messages_alone(execution: PlaybookExecution) -> None:
    """Refuse where nothing is left to be written: a message alone is no reason to go on.

    Raises:
        RefusedError: with the reason.
    """
    pairs = zip(execution.actions, plans_of(execution), strict=True)
    left = {plan.effect for result, plan in pairs if result.status is ActionStatus.PLANNED}
    if not left - {"message"}:
        raise RefusedError("Messages are not sent by themselves after an interruption")


def is_resumable(step: Step, plan: ActionPlan) -> bool:
    """Tell whether an action may be begun again after a crash: twice is harmless, and what was done can be read back.

    A step for a person writes nothing, and is only noted down.
    """
    if plan.effect == "manual":
        return True
    harmless = plan.idempotent and step.action.idempotent
    return plan.effect == "change" and harmless and step.action.verifiable


def refuse_unsigned(planner: Planner, execution: PlaybookExecution) -> None:
    """Refuse what nobody's signature covers at this moment, under the rules of this moment, and what was interrupted too often.

    Raises:
        RefusedError: with the reason.
    """
    now = planner.clock()
    if execution.takeovers > MOST_TAKEOVERS:
        raise RefusedError(f"It was interrupted {execution.takeovers} times")
    if now >= execution.expires_at:
        raise RefusedError("The time of its approval is over")
    refuse_time(planner.policy, execution, now=now)
    if execution.plan is None or execution.plan.policy_digest != planner.policy.digest:
        raise RefusedError("It was approved under other rules than those in force")
    if not is_approved(planner.policy, execution):
        raise RefusedError("Its signatures are no longer enough")
