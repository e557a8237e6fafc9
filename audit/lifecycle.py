"""What becomes of findings from report to report: new, still open, fixed, regressed, excepted; and by when they are due.

The rules stand in docs/findings.md. Here are the words for it; `audit.ports.FindingTracker` is who knows the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from audit.findings import Finding, Severity
from audit.report import ReportHeader

_PROWLER = "Prowler"


class LifecycleState(StrEnum):
    """Where a finding stands. `NEW`, `OPEN` and `REGRESSED` wait for somebody; the other two do not.

    `NEW`: one report has shown it. `OPEN`: more than one. `REGRESSED`: it was fixed, and a later report shows it again.
    `EXCEPTED`: somebody answers for leaving it as it is, here or in the scanner (a muted finding).
    """

    NEW = "new"
    OPEN = "open"
    FIXED = "fixed"
    REGRESSED = "regressed"
    EXCEPTED = "excepted"


OPEN_STATES = frozenset({LifecycleState.NEW, LifecycleState.OPEN, LifecycleState.REGRESSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """How long a finding may stay open, by severity; a severity without an entry is never due.

    The time runs from when it was first seen; after a regression, from when it came back.
    """

    limits: Mapping[Severity, timedelta] = field(
        default_factory=lambda: MappingProxyType(
            {
                Severity.CRITICAL: timedelta(days=7),
                Severity.HIGH: timedelta(days=30),
                Severity.MEDIUM: timedelta(days=90),
                Severity.LOW: timedelta(days=180),
            }
        )
    )

    def due_at(self, severity: Severity, opened_at: datetime) -> datetime | None:
        """Return when a finding is due; None where it never is."""
        limit = self.limits.get(severity)
        return opened_at + limit if limit is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFinding:
    """A finding as the newest report shows it, with its history. Times are aware UTC.

    `opened_at` is when its time began to run: `first_seen_at`, or `regressed_at` once it came back. `fixed_by` is the id of the
    execution that fixed it, empty where a report showed that it is gone; `regressed_from` the one whose fix did not last.
    `excepted_until` is set where an exception of ours is in force. `evidence` is what `mark_fixed` was given.
    """

    finding: Finding
    state: LifecycleState
    source: str
    first_seen_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    due_at: datetime | None = None
    is_overdue: bool = False
    fixed_at: datetime | None = None
    fixed_by: str = ""
    regressed_at: datetime | None = None
    regressed_from: str = ""
    excepted_until: datetime | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether it waits for somebody."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingQuery:
    """Which findings are wanted. What is empty does not restrict; `states` begins with those that wait for somebody.

    `regions` and `checks` are compared in full and in any case, `accounts` in full and as the scanner writes them; `text` is looked for in title, check, resource and
    handle.
    """

    severities: frozenset[Severity] = frozenset()
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    states: frozenset[LifecycleState] = OPEN_STATES
    overdue: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class FindingPage:
    """A piece of an answer, worst and longest open first, and how many there are in all."""

    items: tuple[TrackedFinding, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How many findings stand where. What is open counts `new` and `regressed` too; what is excepted is not open."""

    open_by_severity: Mapping[Severity, int]
    overdue_by_severity: Mapping[Severity, int]
    new: int
    regressed: int
    fixed: int
    excepted: int

    @property
    def open(self) -> int:
        """Return how many wait for somebody."""
        return sum(self.open_by_severity.values())

    @property
    def overdue(self) -> int:
        """Return how many should have been fixed by now."""
        return sum(self.overdue_by_severity.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """A report in a row of reports: what fails, the score, and how long fixing took.

    `mean_time_to_fix` is over the findings of this source that were fixed since the report before this one, None where none was.
    """

    report_id: str
    name: str
    at: datetime
    failing: Mapping[Severity, int]
    score: float | None
    mean_time_to_fix: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowHead:
    """The newest report of a row: of all reports of one scanner on one account.

    `most_findings` are in the largest one of its last 30 days, passed ones too: a part of a scan does not make a row smaller.
    """

    scanner: str
    account_id: str
    report_id: str
    most_findings: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Portion:
    """A number of findings, and the worst of them."""

    count: int
    worst: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed from report `before` to report `after`.

    `regressed` fails again after it was fixed. `unseen` failed before, and `after` did not look there, so nobody can tell.
    """

    before: ReportHeader
    after: ReportHeader
    new: Portion
    regressed: Portion
    still_open: Portion
    fixed: Portion
    unseen: Portion


def scanner_of(source: str) -> str:
    """Return whose findings a report of this source holds: Prowler's formats all tell of the same ones."""
    return _PROWLER if source.startswith(_PROWLER) else source
