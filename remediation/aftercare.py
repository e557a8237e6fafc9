"""What remediation needs of the outside once a fix is done: memory of the look at its resource, and of what came back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

# What cannot be read is looked at again after this at the latest.
LONGEST_RECHECK_REST = timedelta(hours=6)


class RecheckVerdict(Enum):
    """What came of reading a completed execution's resource once more.

    `DUE`: nobody has looked yet. `FIXED`: as it was meant to be. `NOT_FIXED`: somebody changed it since. `UNREADABLE`: to be tried again. `UNREAD`: there is
    nothing to read back. `TAKEN_BACK`: it was fixed, and the fix was rolled back.
    """

    DUE = "due"
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNREADABLE = "unreadable"
    UNREAD = "unread"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """The last look at an execution's resource."""

    execution_id: str
    verdict: RecheckVerdict
    checked_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None

    @property
    def is_to_be_repeated(self) -> bool:
        """Tell whether it settled nothing."""
        return self.verdict in {RecheckVerdict.DUE, RecheckVerdict.UNREADABLE}


class Rechecks(Protocol):
    """Which executions' resources were looked at once more, and which are to be."""

    def due(self, now: datetime, limit: int = 20) -> list[str]:
        """Return ids of executions to look at, oldest first: completed and not looked at, fixed and taken back, due again."""

    def last(self, execution_id: str) -> Recheck | None:
        """Return what came of the last look."""

    def note(self, recheck: Recheck) -> None:
        """Store what came of a look; it replaces the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A finding that a report shows again after an execution had fixed it."""

    regression_id: int
    execution_id: str
    fingerprint: str
    report_id: str
    seen_at: datetime
    attempts: int = 0


class Regressions(Protocol):
    """Findings that came back, until the people of their card know."""

    def untold(self, now: datetime, limit: int = 20) -> list[int]:
        """Return the ids of those to be told, oldest first."""

    def begin(self, regression_id: int, now: datetime, *, next_attempt_at: datetime) -> Regression | None:
        """Count an attempt to tell it, due again at a time, and return it. Committed at return.

        None where it was told, or is not due: somebody is at it.
        """

    def put_off(self, regression_id: int, *, until: datetime) -> None:
        """Let it wait until a time."""

    def told(self, regression_id: int) -> None:
        """Note that it was told."""
