"""Running what was approved, and putting it back.

The order of things is the promise. Before anything runs the plan is made again and its digest compared
with the signed one. Before each write the resource is read once more and the intent, with the state before, is
committed. After each write the resource is read again. A call that failed or timed out may have taken effect
all the same, so what is reported is what the resource shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from audit.actor import WORKER, Actor
from audit.errors import ActionError, Cause, CountersignError, PermanentActionError, RefusedError
from remediation.actions.contract import require_state, show_value
from remediation.actions.registry import Step
from remediation.execution import ActionResult, Decision, PlaybookExecution, Verdict
from remediation.plan import ActionPlan, Change, Plan, State, changes_between
from remediation.planning import Planner, planned_result
from remediation.policy import is_approved
from remediation.ports import ExecutionStore, Notifier, Silent
from remediation.service import execution_event, refuse_without_rollback, utc_now
from remediation.states import ActionStatus, PlaybookStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs approved executions. `owner` names this process among others on the same database."""

    store: ExecutionStore
    planner: Planner
    notifier: Notifier = field(default_factory=Silent)
    clock: Callable[[], datetime] = utc_now
    owner: str = ""

    def run(self, execution_id: str) -> PlaybookExecution:
        """Run an approved execution to its end.

        Ends `COMPLETED` or `FAILED`; back in `PENDING` with a new revision where the resource no longer is as
        it was when people signed. An execution that is not `APPROVED` is returned as it is: somebody else has it.

        Raises:
            StateError: another worker took it at this moment.
            TrailError: the trail cannot be written; nothing was changed from there on.
        """
        execution = self.store.get(execution_id)
        if execution.status is not PlaybookStatus.APPROVED:
            return execution
        if self.clock() >= execution.expires_at:
            late = "It was approved, but nobody could run it before its time was over. Request the fix again."
            return self._end(execution, PlaybookStatus.EXPIRED, error=late)
        try:
            plan, steps = self.planner.redraw(execution.playbook, execution.finding)
        except CountersignError as error:
            return self._end(execution, PlaybookStatus.FAILED, error=explain(error))
        signed = execution.plan is not None and execution.plan.digest == plan.digest
        if not signed or not is_approved(self.planner.policy, execution):
            return self._ask_anew(execution, plan)
        return self._run_steps(self._start(execution), steps)

    def _ask_anew(self, execution: PlaybookExecution, plan: Plan) -> PlaybookExecution:
        """Go back to `PENDING` with the plan as it would be now; every signature is void."""
        anew = execution.moved(
            PlaybookStatus.PENDING,
            plan=plan,
            actions=tuple(planned_result(action, dry_run=False) for action in plan.actions),
            drift=drift_between(execution.plan, plan),
            revision=execution.revision + 1,
            expires_at=self.clock() + self.planner.policy.expires_after,
        )
        detail = {"drift": [_spell(change) for change in anew.drift]}
        asked = self._save(execution, anew, "execution.drifted", detail)
        return asked if plan.is_needed else self._end(asked, PlaybookStatus.COMPLETED)

    def _start(self, execution: PlaybookExecution) -> PlaybookExecution:
        started = execution.moved(PlaybookStatus.RUNNING, owner=self.owner, started_at=self.clock())
        return self._save(execution, started, "execution.started")

    def _run_steps(self, execution: PlaybookExecution, steps: list[Step]) -> PlaybookExecution:
        deadline = self.clock() + timedelta(seconds=_timeout_s(execution))
        for position, (step, plan) in enumerate(zip(steps, _plans(execution), strict=True)):
            if not plan.is_needed:
                continue
            if self.clock() >= deadline:
                late = f"The time limit of {_timeout_s(execution)} s was over before {plan.action_name}."
                return self._end(execution, PlaybookStatus.FAILED, error=late)
            execution = self._run_step(execution, position, step, plan)
            if execution.actions[position].status is ActionStatus.FAILED:
                error = execution.actions[position].error
                return self._end(execution, PlaybookStatus.FAILED, error=error)
        return self._end(execution, PlaybookStatus.COMPLETED)

    def _run_step(
        self, execution: PlaybookExecution, position: int, step: Step, plan: ActionPlan
    ) -> PlaybookExecution:
        """Do one action between two commits: the intent before, what became of it after."""
        intent = ActionResult(
            plan.action_name, ActionStatus.STARTED, "Started", before=plan.before, started_at=self.clock()
        )
        try:
            require_unchanged(step.action.observe(plan), plan)
        except ActionError as error:
            failed = replace(
                intent, status=ActionStatus.FAILED, message="Not started", error=error.explain(), before=None
            )
            return self._record(execution, position, failed, "action.refused")
        execution = self._record(execution, position, intent, "action.started", before=dict(plan.before))
        result = _attempt(step, plan, step.action.apply, step.action.verify, goal=plan.after)
        result = replace(result, before=plan.before, started_at=intent.started_at, ended_at=self.clock())
        result = replace(result, action_name=plan.action_name, message=result.message or "Done and verified")
        return self._record(execution, position, result, _KINDS[result.status])

    def roll_back(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Put back everything an execution wrote, last action first.

        Ends `ROLLED_BACK` or `ROLLBACK_FAILED`.

        Args:
            execution_id: which one.
            actor: who asked; they have been let through the policy by the caller.

        Raises:
            RefusedError: there is nothing to put back, or a person has changed the resource since; nothing was written.
            ActionError: the resource cannot be read; nothing was written.
            StateError: another worker took it at this moment.
        """
        execution = self.store.get(execution_id)
        refuse_without_rollback(execution)
        steps = self.planner.stored_steps(execution.playbook)
        written = [
            (position, steps[position], plan)
            for position, plan in enumerate(_plans(execution))
            if execution.actions[position].before is not None
        ]
        for _, step, plan in written:
            refuse_overwriting(step.action.observe(plan), plan)
        execution = self._start_rollback(execution, actor)
        for position, step, plan in reversed(written):
            execution = self._roll_back_step(execution, position, step, plan)
            if execution.actions[position].status is ActionStatus.ROLLBACK_FAILED:
                error = execution.actions[position].error
                return self._end(execution, PlaybookStatus.ROLLBACK_FAILED, error=error)
        return self._end(execution, PlaybookStatus.ROLLED_BACK)

    def _start_rollback(self, execution: PlaybookExecution, actor: Actor) -> PlaybookExecution:
        decision = Decision(
            verdict=Verdict.ROLL_BACK,
            actor=actor,
            at=self.clock(),
            revision=execution.revision,
            plan_digest=execution.plan.digest if execution.plan else "",
        )
        rolling = execution.moved(
            PlaybookStatus.ROLLING_BACK,
            owner=self.owner,
            error=None,
            decisions=(*execution.decisions, decision),
        )
        return self._save(execution, rolling, "rollback.started", actor=actor)

    def _roll_back_step(
        self, execution: PlaybookExecution, position: int, step: Step, plan: ActionPlan
    ) -> PlaybookExecution:
        before = execution.actions[position]
        intent = replace(before, status=ActionStatus.ROLLING_BACK, message="Putting back", error=None)
        execution = self._record(
            execution, position, intent, "rollback.action.started", after=dict(plan.after)
        )
        result = _attempt(step, plan, partial(_put_back, step), step.action.verify_rollback, goal=plan.before)
        undone = result.status is ActionStatus.COMPLETED
        final = replace(
            intent,
            status=ActionStatus.ROLLED_BACK if undone else ActionStatus.ROLLBACK_FAILED,
            message="Put back and verified" if undone else result.message,
            error=result.error,
            request_ids=result.request_ids,
            ended_at=self.clock(),
        )
        return self._record(execution, position, final, _KINDS[final.status])

    def _record(
        self, execution: PlaybookExecution, position: int, result: ActionResult, kind: str, **detail: object
    ) -> PlaybookExecution:
        about: dict[str, object] = {"action": result.action_name, "request_ids": list(result.request_ids)}
        if result.error:
            about["error"] = result.error
        return self._save(execution, execution.with_action(position, result), kind, {**about, **detail})

    def _end(
        self, execution: PlaybookExecution, status: PlaybookStatus, *, error: str | None = None
    ) -> PlaybookExecution:
        ended = execution.moved(status, error=error, ended_at=self.clock())
        return self._save(execution, ended, f"execution.{status.value.lower()}")

    def _save(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        kind: str,
        detail: Mapping[str, object] = MappingProxyType({}),
        *,
        actor: Actor = WORKER,
    ) -> PlaybookExecution:
        event = execution_event(kind, actor, after, at=self.clock(), detail=detail)
        stored = self.store.save(before, after, event)
        self.notifier.changed(stored.execution_id)
        return stored


_KINDS = {
    ActionStatus.COMPLETED: "action.completed",
    ActionStatus.FAILED: "action.failed",
    ActionStatus.ROLLED_BACK: "rollback.action.completed",
    ActionStatus.ROLLBACK_FAILED: "rollback.action.failed",
}


def _attempt(
    step: Step,
    plan: ActionPlan,
    write: Callable[[ActionPlan], tuple[str, ...]],
    verify: Callable[[ActionPlan], None],
    *,
    goal: State,
) -> ActionResult:
    """Write, then read again. Where the write failed, what the resource shows decides."""
    try:
        request_ids = write(plan)
    except ActionError as error:
        return _after_failed_write(error, step, plan, goal)
    try:
        verify(plan)
    except ActionError as error:
        return _result(ActionStatus.FAILED, "Done, but not verified", request_ids, error=error)
    return _result(ActionStatus.COMPLETED, "", request_ids)


def _after_failed_write(error: ActionError, step: Step, plan: ActionPlan, goal: State) -> ActionResult:
    """Ask the resource itself whether a call that failed took effect; who cannot tell has failed."""
    request_ids = (error.request_id,) if error.request_id else ()
    try:
        require_state(step.action.observe(plan), goal, resource=plan.target.resource)
    except ActionError:
        return _result(ActionStatus.FAILED, "Failed", request_ids, error=error)
    message = f"The call failed ({error.cause.word}), yet the resource is as planned"
    return _result(ActionStatus.COMPLETED, message, request_ids)


def _result(
    status: ActionStatus, message: str, request_ids: tuple[str, ...], *, error: ActionError | None = None
) -> ActionResult:
    return ActionResult(
        "", status, message, error=error.explain() if error else None, request_ids=request_ids
    )


def _put_back(step: Step, plan: ActionPlan) -> tuple[str, ...]:
    """Write the state before; where it is there already, nothing is written."""
    return () if step.action.observe(plan) == plan.before else step.action.rollback(plan)


def require_unchanged(actual: State, plan: ActionPlan) -> None:
    """Let the write pass while the resource is as the plan says.

    Raises:
        PermanentActionError: somebody changed it between the second plan and the write.
    """
    try:
        require_state(actual, plan.before, resource=plan.target.resource)
    except PermanentActionError as error:
        raise PermanentActionError(f"Changed meanwhile: {error}", cause=Cause.CHANGED_MEANWHILE) from None


def refuse_overwriting(actual: State, plan: ActionPlan) -> None:
    """Let the rollback pass while the resource is as we left it, or as it was before.

    Raises:
        RefusedError: a person changed it since; shows the three states.
    """
    if actual in (plan.after, plan.before):
        return
    settings = sorted({change.setting for change in changes_between(plan.after, actual)})
    lines = [
        f"{setting}: was {show_value(plan.before.get(setting))}, we set {show_value(plan.after.get(setting))}, "
        f"now {show_value(actual.get(setting))}"
        for setting in settings
    ]
    raise RefusedError(
        f"Somebody changed {plan.target.resource} since, and a rollback would overwrite that. {'; '.join(lines)}."
    )


def drift_between(signed: Plan | None, now: Plan) -> tuple[Change, ...]:
    """Return what is different between what people signed and what would run now."""
    if signed is None or len(signed.actions) != len(now.actions):
        return (Change(setting="Plan", before="as signed", after="drawn up anew"),)
    pairs = list(zip(signed.actions, now.actions, strict=True))
    changes = [change for old, new in pairs for change in changes_between(old.before, new.before)]
    if signed.policy_digest != now.policy_digest:
        changes.append(Change(setting="Approval rules", before="as signed", after="changed"))
    moved = [
        Change(setting="Region", before=old.target.region, after=new.target.region) for old, new in pairs
    ]
    return tuple(changes + [change for change in moved if change.before != change.after])


def explain(error: CountersignError) -> str:
    """Return an error in one line, with the next step where it has one."""
    return error.explain() if isinstance(error, ActionError) else str(error)


def _spell(change: Change) -> dict[str, object]:
    return {"setting": change.setting, "before": change.before, "now": change.after}


def _timeout_s(execution: PlaybookExecution) -> int:
    return int(str(execution.playbook.get("timeout_seconds", 0)))


def _plans(execution: PlaybookExecution) -> tuple[ActionPlan, ...]:
    return execution.plan.actions if execution.plan else ()
