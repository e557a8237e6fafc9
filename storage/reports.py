"""Reports in the database."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select as sa_select
from sqlalchemy import tuple_
from sqlmodel import col

from audit.actor import Actor
from audit.findings import Finding, FindingDict
from audit.ingest import Reading
from audit.ports import LATEST, Ingested
from audit.report import ReportHeader
from storage.database import Database
from storage.finding_texts import STORED, TextReader
from storage.ingest import ingest
from storage.lookup import find_finding, search_report
from storage.naming import named_report, newest_reports
from storage.removing import has_abandoned, remove_abandoned
from storage.report_rows import to_header
from storage.tables import FindingRow

_BATCH = 500
_Place = tuple[int, str, int]


class SqlReports:
    """Implements `audit.ports.ReportStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ingest(self, reading: Reading, *, actor: Actor, now: datetime) -> Ingested:
        """Store a reading with its trail entry: all of it becomes visible, or nothing.

        Raises:
            InputError: the file fails as a whole; nothing is stored.
            TrailError: the trail cannot be written; nothing is stored.
        """
        return ingest(self._database, reading, actor=actor, now=now)

    def has_abandoned(self, now: datetime) -> bool:
        """Tell whether a process that died has left a report half loaded."""
        return has_abandoned(self._database, now)

    def remove_abandoned(self, now: datetime) -> None:
        """Remove what processes that died left half loaded, in short transactions."""
        remove_abandoned(self._database, now)

    def list_reports(self, limit: int = 20, offset: int = 0) -> list[ReportHeader]:
        """Return the newest reports, newest first, from an offset on."""
        with self._database.reading() as session:
            found = session.exec(newest_reports().limit(limit).offset(offset))
            return [to_header(row) for row in found]

    def header(self, report_id: str = LATEST, *, account: str = "") -> ReportHeader:
        """Return a report by id, by an unambiguous beginning of it, or the newest; of an account's alone, where one is named.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """
        with self._database.reading() as session:
            return to_header(named_report(session, report_id, account=account))

    def stream_findings(self, report_id: str) -> Iterator[FindingDict]:
        """Yield a report's findings, worst first, those of one check together, then in file order.

        Reads in batches, each a short transaction: a visible report never changes, so they fit together, and
        a caller who stops early leaves nothing open.

        Raises:
            NotFoundError: at once, when none, or more than one, goes by that name.
        """
        with self._database.reading() as session:
            report_key = named_report(session, report_id).report_key
        assert report_key is not None  # noqa: S101 - the primary key of a stored row; narrows the type
        return self._worst_first(report_key)

    def find(self, name: str) -> Finding:
        """Return the newest finding by handle (`f-1a2b3c4d`), by fingerprint or by the scanner's id.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """
        with self._database.reading() as session:
            return find_finding(session, name)

    def search(self, text: str, *, limit: int = 20) -> list[Finding]:
        """Return open findings of the newest report whose title, check, handle or resource holds the text."""
        with self._database.reading() as session:
            newest = session.exec(newest_reports().limit(1)).first()
            if newest is None or newest.report_key is None:
                return []
            return search_report(session, newest.report_key, text, limit=limit)

    def _worst_first(self, report_key: int) -> Iterator[FindingDict]:
        texts, place = TextReader(), None
        while batch := self._after(report_key, place, texts):
            yield from (record for _, record in batch)
            place, _ = batch[-1]

    def _after(
        self, report_key: int, place: _Place | None, texts: TextReader
    ) -> list[tuple[_Place, FindingDict]]:
        order = (col(FindingRow.severity_rank), col(FindingRow.check_id), col(FindingRow.position))
        wanted = (
            sa_select(*STORED, *order)
            .where(col(FindingRow.report_key) == report_key)
            .order_by(*order)
            .limit(_BATCH)
        )
        if place is not None:
            wanted = wanted.where(tuple_(*order) > tuple_(*place))
        with self._database.reading() as session:
            rows = session.connection().execute(wanted).all()
            records = texts.records(session, [row[:3] for row in rows])
        return [((row[3], row[4], row[5]), record) for row, record in zip(rows, records, strict=True)]
