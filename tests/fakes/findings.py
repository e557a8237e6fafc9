"""A tracker of findings for tests that are about something else: it knows of none."""

from collections.abc import Collection, Mapping
from datetime import datetime

from audit.actor import Actor
from audit.errors import NotFoundError
from audit.findings import Severity
from audit.lifecycle import (
    Comparison,
    FindingPage,
    FindingQuery,
    LifecycleState,
    Overview,
    RowHead,
    TrackedFinding,
    TrendPoint,
)
from audit.ports import LATEST
from remediation.aftercare import Regression


class NoTracker:
    """No report has shown anything failing, but for what `open` counts. `fixed` and `opened` hold what it was told."""

    def __init__(self) -> None:
        self.fixed: list[tuple[str, Mapping[str, object]]] = []
        self.opened: list[str] = []
        self.open = dict.fromkeys(Severity, 0)
        self.behind = False

    def search(self, query: FindingQuery, *, now: datetime, offset: int = 0, limit: int = 20) -> FindingPage:
        return FindingPage((), 0)

    def track(self, name: str, *, now: datetime) -> TrackedFinding:
        raise NotFoundError(f"no report has shown failing {name}")

    def overview(self, now: datetime, *, accounts: Collection[str] = ()) -> Overview:
        none = dict.fromkeys(Severity, 0)
        return Overview(
            open_by_severity=self.open, overdue_by_severity=none, new=0, regressed=0, fixed=0, excepted=0
        )

    def trend(self, limit: int = 20, *, report_id: str = LATEST) -> list[TrendPoint]:
        raise NotFoundError("there is no report yet")

    def rows(self) -> list[RowHead]:
        return []

    def compare(self, before: str, after: str, *, limit: int = 10) -> Comparison:
        raise NotFoundError(f"there is no report {before}")

    def newly(
        self,
        states: Collection[LifecycleState],
        since: datetime,
        *,
        now: datetime,
        limit: int = 50,
        accounts: Collection[str] = (),
    ) -> list[TrackedFinding]:
        return []

    def count_newly(
        self,
        states: Collection[LifecycleState],
        since: datetime,
        *,
        now: datetime,
        severity: Severity,
        accounts: Collection[str] = (),
    ) -> int:
        return 0

    def mark_fixed(
        self,
        fingerprint: str,
        *,
        execution_id: str,
        evidence: Mapping[str, object],
        at: datetime,
        actor: Actor,
    ) -> bool:
        self.fixed.append((fingerprint, evidence))
        return not self.behind

    def mark_open(self, fingerprint: str, *, execution_id: str, at: datetime, actor: Actor) -> bool:
        self.opened.append(fingerprint)
        return True

    def catch_up(self, now: datetime) -> bool:
        return False

    def is_behind(self) -> bool:
        return self.behind


class NoRegressions:
    """Nothing ever comes back."""

    def untold(self, now: datetime, limit: int = 20) -> list[int]:
        return []

    def begin(self, regression_id: int, now: datetime, *, next_attempt_at: datetime) -> Regression | None:
        return None

    def put_off(self, regression_id: int, *, until: datetime) -> None:
        pass

    def told(self, regression_id: int) -> None:
        pass
