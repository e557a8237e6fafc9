"""A finding that somebody answers for leaving as it is, until a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.actor import Actor
from audit.errors import RefusedError
from audit.findings import Finding
from audit.trail import TrailEvent
from remediation.execution import PlaybookExecution


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingException:
    """A finding that `owner` answers for leaving as it is until a moment. `ended_by` is whoever ended it before its time."""

    exception_id: str
    execution_id: str
    finding: Finding
    owner: Actor
    reason: str
    granted_at: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: Actor | None = None


class NoExceptions:
    """For programs without a database: no finding is excepted, and none can be."""

    def grant(
        self,
        before: PlaybookExecution,  # noqa: ARG002 - the port's signature, as below
        after: PlaybookExecution,  # noqa: ARG002
        exception: FindingException,  # noqa: ARG002
        events: Sequence[TrailEvent],  # noqa: ARG002
    ) -> PlaybookExecution:
        """Refuse: it would be forgotten."""
        raise RefusedError("Exceptions are not kept here, so nothing was decided.")

    def holding(self, fingerprint: str, now: datetime) -> FindingException | None:  # noqa: ARG002
        """Return none."""
        return None
