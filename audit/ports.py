"""What audit needs of the outside: where reports, findings and the trail are kept."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from audit.actor import Actor
from audit.anchors import Anchor, DueAnchor
from audit.findings import Finding, FindingDict, Severity
from audit.ingest import Reading
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
from audit.report import ReportHeader
from audit.trail import TrailEntry, TrailEvent

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of reading a file. `is_new` is False where the very same bytes were here before."""

    header: ReportHeader
    is_new: bool


class ReportStore(Protocol):
    """Reports and their findings."""

    def ingest(self, reading: Reading, *, actor: Actor, now: datetime) -> Ingested:
        """Store a reading in one transaction with its trail entry: all of it, or nothing.

        Raises:
            InputError: the file fails as a whole; nothing is stored.
        """

    def list_reports(self, limit: int = 20, offset: int = 0) -> list[ReportHeader]:
        """Return the newest reports, newest first, from an offset on."""

    def header(self, report_id: str = LATEST, *, account: str = "") -> ReportHeader:
        """Return a report by id, by an unambiguous beginning of it, or the newest; of an account's alone, where one is named.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """

    def stream_findings(self, report_id: str) -> Iterator[FindingDict]:
        """Yield a report's findings with their handles, worst first, without holding them all."""

    def find(self, name: str) -> Finding:
        """Return the newest finding by handle (`f-1a2b3c4d`), by fingerprint or by the scanner's id.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """

    def search(self, text: str, *, limit: int = 20) -> list[Finding]:
        """Return failing findings of the newest report whose title, check, handle or resource holds the text."""


class FindingTracker(Protocol):
    """What became of findings from report to report (docs/findings.md), and by when they are due."""

    def search(self, query: FindingQuery, *, now: datetime, offset: int = 0, limit: int = 20) -> FindingPage:
        """Return a page of findings as they stand: worst first, then the longest open."""

    def track(self, name: str, *, now: datetime) -> TrackedFinding:
        """Return how a finding stands, by its fingerprint or its handle.

        Raises:
            NotFoundError: no report has shown it failing, or more than one goes by that handle.
        """

    def overview(self, now: datetime, *, accounts: Collection[str] = ()) -> Overview:
        """Return how many findings stand where; those of some accounts alone, where any are named."""

    def trend(self, limit: int = 20, *, report_id: str = LATEST) -> list[TrendPoint]:
        """Return the newest reports of one row, oldest first: those of the same scanner and account as the report, up to it.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """

    def rows(self) -> list[RowHead]:
        """Return the newest report of each row, the row with the largest report first.

        A row whose newest report is 30 days older than the newest of all has ended, and is left out; so is one that is not
        among the newest 2,000 reports.
        """

    def compare(self, before: str, after: str, *, limit: int = 10) -> Comparison:
        """Return what changed between two reports, with at most `limit` of the worst findings for each kind of change.

        Raises:
            NotFoundError: none, or more than one, goes by one of the names.
        """

    def newly(
        self,
        states: Collection[LifecycleState],
        since: datetime,
        *,
        now: datetime,
        limit: int = 50,
        accounts: Collection[str] = (),
    ) -> list[TrackedFinding]:
        """Return the findings that came into one of the states after `since` and still are in it: worst first.

        `since` is compared with when we learned of it, not with when a report was made: a report that is read late is news.
        """

    def count_newly(
        self,
        states: Collection[LifecycleState],
        since: datetime,
        *,
        now: datetime,
        severity: Severity,
        accounts: Collection[str] = (),
    ) -> int:
        """Return how many findings of a severity `newly` knows, listed or not."""

    def mark_fixed(
        self,
        fingerprint: str,
        *,
        execution_id: str,
        evidence: Mapping[str, object],
        at: datetime,
        actor: Actor,
    ) -> bool:
        """Note that an execution fixed a finding, together with its trail entry; tell whether that was news.

        A finding that no report has shown failing, or that is fixed already, is left alone.

        Raises:
            TrailError: the trail cannot be written; nothing was changed.
        """

    def mark_open(self, fingerprint: str, *, execution_id: str, at: datetime, actor: Actor) -> bool:
        """Note that an execution's fix was taken back, together with its trail entry; tell whether that was news.

        Only a finding that this very execution fixed is opened again, as if it had never been fixed.

        Raises:
            TrailError: the trail cannot be written; nothing was changed.
        """

    def catch_up(self, now: datetime) -> bool:
        """Work a part of a report into the findings' states, where one is waiting; tell whether there is more to do."""

    def is_behind(self) -> bool:
        """Tell whether a report is still to be worked in. Its findings are seen before those it no longer shows are closed."""


class Trail(Protocol):
    """The append-only trail. Entries about a change are written by the store that makes the change."""

    def record(self, event: TrailEvent) -> TrailEntry:
        """Append an event that goes with no other change.

        Raises:
            TrailError: it cannot be written; whatever it was to record must not happen.
        """

    def record_all(self, events: Sequence[TrailEvent]) -> list[TrailEntry]:
        """Append several events in order: all of them, or none.

        Raises:
            TrailError: they cannot be written.
        """

    def stream(self) -> Iterator[TrailEntry]:
        """Yield all entries from the first."""

    def head(self) -> TrailEntry | None:
        """Return the newest entry."""


class Anchors(Protocol):
    """Which heads of the trail were noted outside the database, and where."""

    def due(self, now: datetime, *, every: timedelta) -> DueAnchor | None:
        """Return a head that has to be noted elsewhere now: the newest where `every` is over, else one begun and not `told`.

        An attempt is counted, and held for `anchor_wait`; committed at return. None where the head was noted already, or nothing
        is due.
        """

    def noted(self, anchor: Anchor, place: str) -> None:
        """Note that it stands in one place."""

    def told(self, anchor: Anchor) -> None:
        """Note that it stands in all places."""

    def first_without(self, place: str) -> Anchor | None:
        """Return the first of the last heads in a row that do not stand in a place; None where the last one does."""
