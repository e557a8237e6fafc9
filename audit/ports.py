"""What audit needs of the outside: where reports, findings and the trail are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from audit.actor import Actor
from audit.anchors import Anchor
from audit.findings import Finding, FindingDict
from audit.ingest import Reading
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

    def list_reports(self, limit: int = 20) -> list[ReportHeader]:
        """Return the newest reports, newest first."""

    def header(self, report_id: str = LATEST) -> ReportHeader:
        """Return a report by id, by an unambiguous beginning of it, or the newest.

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
    """Which heads of the trail were noted outside the database."""

    def due(self, now: datetime, *, every: timedelta) -> Anchor | None:
        """Return a head that has to be noted elsewhere now: one begun and not `told`, else the newest where `every` is over.

        Committed at return. None where the head was noted already, or nothing is due. Two processes may both get one that is
        begun and not told: noting it twice is harmless.
        """

    def told(self, anchor: Anchor) -> None:
        """Note that it stands elsewhere now."""
