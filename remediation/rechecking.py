"""After the fix: the resource is read once more, and its finding counts as fixed where it still is as it was meant to be.

The worker's sweep finds what is to be looked at, so that a crash loses nothing. Whatever cannot be read back proves nothing: then
the finding waits for the next report. A fix that is put back opens its finding again, before anybody has to ask.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.actor import WORKER
from audit.errors import ActionError, Cause, CountersignError
from audit.ports import FindingTracker, Trail
from remediation.actions.registry import Step
from remediation.aftercare import LONGEST_RECHECK_REST, Recheck, Rechecks, RecheckVerdict
from remediation.clock import utc_now
from remediation.events import execution_event
from remediation.execution import PlaybookExecution
from remediation.journal import plans_of
from remediation.plan import ActionPlan
from remediation.planning import Planner
from remediation.ports import ExecutionStore
from remediation.states import PlaybookStatus

MOST_ATTEMPTS = 10
_FIRST_WAIT = timedelta(minutes=1)
_TAKEN_BACK = {PlaybookStatus.ROLLING_BACK, PlaybookStatus.ROLLED_BACK, PlaybookStatus.ROLLBACK_FAILED}

Looked = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecking:
    """Looks at what executions left behind, and has their findings follow."""

    store: ExecutionStore
    planner: Planner
    tracker: FindingTracker
    rechecks: Rechecks
    trail: Trail
    clock: Callable[[], datetime] = utc_now

    def recheck(self, execution_id: str) -> RecheckVerdict | None:
        """Look at a completed execution's resource, or at whether it was put back; None where there is nothing to do.

        Done twice it is harmless: a finding is fixed once, and opened again once.

        Raises:
            NotFoundError: there is no such execution.
            TrailError: the trail cannot be written; nothing was changed.
        """
        execution, last = self.store.get(execution_id), self.rechecks.last(execution_id)
        if execution.status in _TAKEN_BACK and last and last.next_attempt_at:
            return self._open_again(execution)
        if execution.status is PlaybookStatus.COMPLETED and (last is None or last.is_to_be_repeated):
            return self._look_again(execution, attempts=last.attempts if last else 0)
        return None

    def _open_again(self, execution: PlaybookExecution) -> RecheckVerdict:
        self.tracker.mark_open(
            execution.finding.fingerprint,
            execution_id=execution.execution_id,
            at=self.clock(),
            actor=WORKER,
        )
        return self._note(execution, RecheckVerdict.TAKEN_BACK)

    def _look_again(self, execution: PlaybookExecution, *, attempts: int) -> RecheckVerdict:
        pairs = list(self._readable(execution))
        if not pairs:
            return self._note(execution, RecheckVerdict.UNREAD)
        try:
            looked = [_look(step, plan) for step, plan in pairs]
        except ActionError as error:
            return self._try_later(execution, attempts + 1, error)
        if all(each["as_planned"] for each in looked):
            return self._mark_fixed(execution, looked, attempts=attempts + 1)
        self._tell_trail("finding.not_fixed", execution, actions=looked)
        return self._note(execution, RecheckVerdict.NOT_FIXED)

    def _mark_fixed(self, execution: PlaybookExecution, looked: Looked, *, attempts: int) -> RecheckVerdict:
        at = self.clock()
        was_news = self.tracker.mark_fixed(
            execution.finding.fingerprint,
            execution_id=execution.execution_id,
            evidence={"read_at": at.isoformat(), "actions": list(looked)},
            at=at,
            actor=WORKER,
        )
        if not was_news and self.tracker.is_behind() and attempts < MOST_ATTEMPTS:
            # The report that shows the finding is still being worked in.
            return self._note(execution, RecheckVerdict.UNREADABLE, attempts=attempts)
        return self._note(execution, RecheckVerdict.FIXED)

    def _try_later(
        self, execution: PlaybookExecution, attempts: int, error: CountersignError
    ) -> RecheckVerdict:
        if attempts < MOST_ATTEMPTS:
            return self._note(execution, RecheckVerdict.UNREADABLE, attempts=attempts)
        self._tell_trail("finding.unreadable", execution, error=error.explain())
        return self._note(execution, RecheckVerdict.UNREAD)

    def _readable(self, execution: PlaybookExecution) -> Iterator[tuple[Step, ActionPlan]]:
        """Yield the steps to read back; none where one of them cannot be, so that nothing is proved by halves."""
        plans = [plan for plan in plans_of(execution) if plan.effect != "message"]
        if execution.dry_run or any(plan.effect != "change" for plan in plans):
            return
        try:
            steps = self.planner.stored_steps(execution.playbook, execution.finding)
        except CountersignError:  # the playbook's text can no longer be used
            return
        if len(steps) != len(execution.actions):
            return
        pairs = list(zip(steps, plans_of(execution), strict=True))
        changing = [(step, plan) for step, plan in pairs if plan.effect == "change"]
        if all(step.action.verifiable for step, _ in changing):
            yield from changing

    def _note(
        self, execution: PlaybookExecution, verdict: RecheckVerdict, *, attempts: int = 0
    ) -> RecheckVerdict:
        at = self.clock()
        wait = min(_FIRST_WAIT * 2 ** max(attempts - 1, 0), LONGEST_RECHECK_REST)
        again = at + wait if verdict is RecheckVerdict.UNREADABLE else None
        self.rechecks.note(
            Recheck(
                execution_id=execution.execution_id,
                verdict=verdict,
                checked_at=at,
                attempts=attempts,
                next_attempt_at=again,
            )
        )
        return verdict

    def _tell_trail(self, kind: str, execution: PlaybookExecution, **detail: object) -> None:
        about = {"fingerprint": execution.finding.fingerprint, **detail}
        self.trail.record(execution_event(kind, WORKER, execution, at=self.clock(), detail=about))


def _look(step: Step, plan: ActionPlan) -> Mapping[str, object]:
    """Read what an action was about, and compare it with what was signed.

    Raises:
        ActionError: it cannot be read.
    """
    observed = dict(step.action.observe(plan))
    return {
        "action": plan.action_name,
        "resource": plan.target.resource,
        "observed": observed,
        "as_planned": _verifies(step, plan),
    }


def _verifies(step: Step, plan: ActionPlan) -> bool:
    """Tell whether the action itself counts what it reads as done: for some there is more to it than the settings."""
    try:
        step.action.verify(plan)
    except ActionError as error:
        if error.cause is not Cause.NOT_VERIFIED:
            raise
        return False
    return True
