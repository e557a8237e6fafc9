"""One write: what is made of it where nobody can look."""

from remediation.actions.contract import Params
from remediation.actions.handled import HandledAction
from remediation.actions.registry import Step
from remediation.attempt import attempt
from remediation.execution import ActionResult
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from remediation.states import ActionStatus


def test_a_failed_write_that_nobody_can_look_at_has_failed() -> None:
    written = PlaybookAction("call", "custom")

    def handler(action: PlaybookAction, dry_run: bool) -> ActionResult:
        return ActionResult(action.action_name, ActionStatus.PLANNED if dry_run else ActionStatus.COMPLETED)

    action = HandledAction(written, handler)
    step = Step(written, action, Params())
    plan = step.plan(Target(provider="aws", resource="door"))
    undone = attempt(step, plan, action.rollback, action.verify_rollback, goal=plan.before)
    assert undone.status is ActionStatus.FAILED
