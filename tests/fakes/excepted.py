"""A finding that somebody answers for leaving as it is, without a database."""

from dataclasses import dataclass
from datetime import timedelta

from audit.findings import Finding
from remediation.excepted import FindingException, NoExceptions
from tests.fakes.switches import PRIYA, START


@dataclass(frozen=True)
class Held(NoExceptions):
    """An exception that holds for whatever is asked about."""

    finding: Finding

    def holding(self, fingerprint: str, now: object) -> FindingException:
        return FindingException(
            exception_id="e-1",
            execution_id="x-1",
            finding=self.finding,
            owner=PRIYA,
            reason="A customer needs it",
            granted_at=START,
            until=START + timedelta(days=1),
        )
