"""One write to a cloud, with what has to be true before it and what is read after it."""

from collections.abc import Callable, Sequence

from audit.errors import ActionError, Cause, PermanentActionError, RefusedError
from remediation.actions.contract import require_state, show_value
from remediation.actions.registry import Step
from remediation.execution import ActionResult
from remediation.plan import ActionPlan, State
from remediation.states import ActionStatus

Write = Callable[[ActionPlan], tuple[str, ...]]
Verify = Callable[[ActionPlan], None]
UNVERIFIED = "Done, but not verified"


def do(step: Step, plan: ActionPlan) -> ActionResult:
    """Do an action, or what is left of it to do, and read what became of it."""
    half_ways = [each.state for each in step.action.half_ways(plan)]
    return attempt(step, plan, step.action.apply, step.action.verify, goal=plan.after, half_ways=half_ways)


def attempt(  # noqa: PLR0913 - private to the package, and all but what it is about are named
    step: Step,
    plan: ActionPlan,
    write: Write,
    verify: Verify,
    *,
    goal: State,
    half_ways: Sequence[State] = (),
) -> ActionResult:
    """Write, then read again. Where the write failed, what the resource shows decides; who cannot tell has failed.

    `half_ways` are the states between two writes that prove to be ours.
    """
    message = ""
    try:
        request_ids = write(plan)
    except ActionError as error:
        request_ids = (error.request_id,) if error.request_id else ()
        seen = look(step, plan) if step.action.verifiable else None
        if seen != goal:
            # A refused call has an id as well: it may have written nothing, and what is read now may be a person's.
            left = seen if seen in half_ways else None
            return _failed(plan, "Failed", request_ids, error=error, observed=left)
        message = f"The call failed ({error.cause.word}), yet the resource is as planned"
    try:
        verify(plan)
    except ActionError as error:
        # Only after a write that a cloud confirmed is what is read now what we left, and no person's.
        left = look(step, plan) if any(request_ids) and not message else None
        return _failed(plan, UNVERIFIED, request_ids, error=error, observed=left)
    return ActionResult(plan.action_name, ActionStatus.COMPLETED, message, request_ids=request_ids)


def _failed(
    plan: ActionPlan,
    message: str,
    request_ids: tuple[str, ...],
    *,
    error: ActionError,
    observed: State | None = None,
) -> ActionResult:
    return ActionResult(
        plan.action_name,
        ActionStatus.FAILED,
        message,
        error=error.explain(),
        observed=observed,
        request_ids=request_ids,
    )


def look(step: Step, plan: ActionPlan) -> State | None:
    """Read what the resource looks like; None where it cannot be read."""
    try:
        return dict(step.action.observe(plan))
    except ActionError:
        return None


def require_unchanged(actual: State, plan: ActionPlan) -> None:
    """Let the write pass while the resource is as the plan says.

    Raises:
        PermanentActionError: somebody changed it between the second plan and the write.
    """
    try:
        require_state(actual, plan.before, resource=plan.target.resource)
    except PermanentActionError as error:
        raise PermanentActionError(f"Changed meanwhile: {error}", cause=Cause.CHANGED_MEANWHILE) from None


def refuse_overwriting(actual: State, plan: ActionPlan, left: State | None) -> None:
    """Let a rollback pass while the resource is as we left it, or as it was before.

    Args:
        actual: the resource as it is now.
        plan: what was to be done to it.
        left: what was read after a write of ours that ended in another state than planned, where that counts.

    Raises:
        RefusedError: a person changed it since; shows the three states, and what can be done.
    """
    if overwritten := _describe_overwriting(actual, plan, left):
        raise RefusedError(
            f"{overwritten} Nothing was changed. Next: look at {plan.target.resource}. "
            "To undo this fix all the same, set it back by hand; to repeat it, ask for a new one."
        )


def _describe_overwriting(actual: State, plan: ActionPlan, left: State | None) -> str:
    """Say what a rollback would overwrite, setting by setting; empty where nobody changed anything."""
    foreign = sorted(_foreign(actual, plan))
    if not foreign or actual == left:
        return ""
    lines = [
        f"{setting}: was {show_value(plan.before.get(setting))}, we set {show_value(plan.after.get(setting))}, "
        f"now {show_value(actual.get(setting))}"
        for setting in foreign
    ]
    return f"Somebody changed {plan.target.resource} since, and a rollback would overwrite that. {'; '.join(lines)}."


def _foreign(actual: State, plan: ActionPlan) -> set[str]:
    """Return the settings that are neither as before nor as planned: a write that took effect in part leaves none."""
    return {
        setting
        for setting in plan.before.keys() | plan.after.keys() | actual.keys()
        if actual.get(setting) not in (plan.before.get(setting), plan.after.get(setting))
    }


def put_back(step: Step, plan: ActionPlan, *, left: State | None) -> ActionResult:
    """Write the state before, having looked once more; where it is there already, nothing is written.

    Where it cannot be read, or somebody changed it at the last moment, nothing is written, and what the resource shows is not taken
    for ours.
    """
    try:
        actual = step.action.observe(plan)
        # Other actions may have been put back by now, so this cannot say that nothing was changed.
        if overwritten := _describe_overwriting(actual, plan, left):
            raise PermanentActionError(overwritten.removesuffix("."), cause=Cause.CHANGED_MEANWHILE)
    except ActionError as error:
        return _failed(plan, "Not put back", (), error=error)
    write = _write_nothing if actual == plan.before else step.action.rollback
    verify, half_ways = step.action.verify_rollback, step.action.half_ways_back(plan)
    return attempt(step, plan, write, verify, goal=plan.before, half_ways=half_ways)


def _write_nothing(_plan: ActionPlan) -> tuple[str, ...]:
    return ()
