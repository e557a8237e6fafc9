"""The end of an exception: its time is over, or an approver says so."""

from dataclasses import dataclass

from audit.actor import WORKER, Actor
from audit.errors import RefusedError, StateError
from audit.trail import TrailEvent
from remediation.excepted import FindingException
from remediation.excepting import about
from remediation.ports import Exceptions
from remediation.refusals import refuse_outsider
from remediation.service import Remediation


@dataclass(frozen=True, slots=True)
class ExceptionEnds:
    """Ends exceptions, each once."""

    remediation: Remediation
    exceptions: Exceptions

    def end_in_time(self, exception_id: str) -> FindingException:
        """End an exception whose time is over.

        Raises:
            NotFoundError: there is no such exception.
            StateError: its time is not over, or it has ended already.
        """
        exception = self.exceptions.get(exception_id)
        if exception.until > self.remediation.clock():
            raise StateError(f"the exception {exception_id} still holds")
        return self._end(exception, "exception.expired", WORKER, by=None)

    def end_early(self, exception_id: str, actor: Actor) -> FindingException:
        """End an exception because an approver of the fix says so.

        Raises:
            NotFoundError: there is no such exception.
            RefusedError: it has ended already, or this person may not.
        """
        exception = self.exceptions.get(exception_id)
        execution = self.remediation.store.get(exception.execution_id)
        terms = self.remediation.policy.terms_of(execution)
        person = self.remediation.look_up(actor, terms)
        refuse_outsider(terms, person)
        try:
            return self._end(exception, "exception.ended", person.actor, by=person.actor)
        except StateError:
            raise RefusedError(f"The exception {exception_id} has ended already.") from None

    def _end(
        self, exception: FindingException, kind: str, actor: Actor, *, by: Actor | None
    ) -> FindingException:
        now = self.remediation.clock()
        event = TrailEvent(
            kind=kind, actor=actor, at=now, subject=exception.exception_id, detail=about(exception)
        )
        self.exceptions.end(exception, event, at=now, by=by)
        return self.exceptions.get(exception.exception_id)
