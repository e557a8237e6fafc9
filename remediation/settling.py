"""What a person says about an interrupted execution: it was done, it was not, or try again.

Nobody can tell from the resource, so an approver looks, and what they say is recorded like every other decision. Trying again
writes to a cloud, so it takes all that the first try took: signatures that still hold, and a resource that is as it was.
"""

from dataclasses import dataclass, replace

from audit.actor import Actor
from audit.errors import RefusedError
from remediation.actions.registry import Step
from remediation.execution import PlaybookExecution, Verdict
from remediation.journal import Journal
from remediation.planning import Planner
from remediation.ports import ExceptionGate
from remediation.recovery import steps_if_usable
from remediation.refusals import refuse_outsider
from remediation.resuming import refuse_resuming
from remediation.service import Remediation
from remediation.states import ActionStatus, PlaybookStatus

_SETTLED = {ActionStatus.COMPLETED, ActionStatus.SKIPPED}
_NOT_DONE = "A person looked and found that it was not done."


@dataclass(frozen=True, slots=True)
class Settling:
    """Lets approvers settle what was interrupted."""

    remediation: Remediation
    journal: Journal

    def allow(self, execution_id: str, actor: Actor, *, revision: int) -> tuple[PlaybookExecution, Actor]:
        """Let an approver decide on an interrupted execution; return it and who they are.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: it is not interrupted, its card is out of date, or this person may not.
        """
        execution = self.remediation.store.get(execution_id)
        refuse_unless_interrupted(execution)
        if execution.revision != revision:
            raise RefusedError("This card is out of date. A newer card shows where it stands.")
        terms = self.remediation.policy.terms_of(execution)
        person = self.remediation.look_up(actor, terms)
        refuse_outsider(terms, person)
        return execution, person.actor

    def say_done(self, execution_id: str, actor: Actor, *, revision: int) -> PlaybookExecution:
        """Record that what was interrupted had been done: `COMPLETED`, or `FAILED` where more was to be done.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, or there is nothing to settle.
            StateError: somebody was faster.
        """
        execution, person = self.allow(execution_id, actor, revision=revision)
        return self._settle(execution, person, Verdict.DONE)

    def say_not_done(self, execution_id: str, actor: Actor, *, revision: int) -> PlaybookExecution:
        """Record that what was interrupted had not been done: `FAILED`. It can be put back all the same, in case it was.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, or there is nothing to settle.
            StateError: somebody was faster.
        """
        execution, person = self.allow(execution_id, actor, revision=revision)
        return self._settle(execution, person, Verdict.NOT_DONE)

    def _settle(self, execution: PlaybookExecution, person: Actor, verdict: Verdict) -> PlaybookExecution:
        """Store the decision and all that follows from it as one change."""
        now = self.journal.clock()
        if verdict is Verdict.DONE:
            found = {"status": ActionStatus.COMPLETED, "message": "Done, as a person found", "error": None}
        else:
            found = {"status": ActionStatus.FAILED, "message": "Not done", "error": _NOT_DONE}
        seen = _with_started(execution, **found, ended_at=now)
        left = [each.action_name for each in seen.actions if each.status not in _SETTLED]
        settled = seen.decided(verdict, person, now).moved(
            PlaybookStatus.FAILED if left else PlaybookStatus.COMPLETED,
            error=f"The run was interrupted. Not done: {', '.join(left)}." if left else None,
            ended_at=now,
        )
        kind = f"execution.settled_{verdict.value}"
        return self.journal.save(execution, settled, kind, {"not_done": left}, actor=person)


def begin_again(
    journal: Journal,
    planner: Planner,
    execution: PlaybookExecution,
    actor: Actor,
    *,
    exceptions: ExceptionGate,
) -> tuple[PlaybookExecution, list[Step]]:
    """Store that an approver wants an interrupted execution tried again; return it with the steps to run.

    Raises:
        RefusedError: it is not interrupted, twice may do harm, an exception holds, or what was signed no longer holds; nothing was
            written.
        ActionError: the resource cannot be read, or is not as it was before; nothing was written.
        StateError: somebody was faster.
    """
    refuse_unless_interrupted(execution)
    steps = steps_if_usable(planner, execution)
    fresh = {"status": ActionStatus.PLANNED, "message": "To be tried again", "before": None, "observed": None}
    again = replace(_with_started(execution, **fresh), takeovers=0)
    refuse_resuming(planner, again, steps, exceptions=exceptions)
    running = again.decided(Verdict.TRY_AGAIN, actor, journal.clock()).moved(
        PlaybookStatus.RUNNING, owner=journal.owner, error=None, ended_at=None
    )
    return journal.save(execution, running, "execution.tried_again", actor=actor), steps


def refuse_unless_interrupted(execution: PlaybookExecution) -> None:
    """Refuse to settle what is not interrupted.

    Raises:
        RefusedError: with the state it is in.
    """
    if execution.status is not PlaybookStatus.INTERRUPTED:
        raise RefusedError(f"There is nothing to settle: this execution is {execution.status.value}.")


def _with_started(execution: PlaybookExecution, **changes: object) -> PlaybookExecution:
    """Return an execution with what nobody could tell changed."""
    actions = tuple(
        replace(each, **changes) if each.status is ActionStatus.STARTED else each  # type: ignore[arg-type]
        for each in execution.actions
    )
    return replace(execution, actions=actions)
