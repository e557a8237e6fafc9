"""What became of findings: searched, counted, compared; and what a fix of ours did to them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Self

from sqlalchemy import ColumnElement, and_, func, update
from sqlmodel import Session, col, select

from audit.actor import Actor
from audit.errors import NotFoundError
from audit.findings import Severity, short_name
from audit.lifecycle import (
    Comparison,
    FindingPage,
    FindingQuery,
    LifecycleState,
    Overview,
    RowHead,
    Sla,
    TrackedFinding,
    TrendPoint,
)
from audit.ports import LATEST
from audit.trail import TrailEvent
from storage.closing import note_fixes
from storage.comparing import compare
from storage.counting import by_severity, came_newly, count, excepted_until, in_accounts
from storage.database import Database
from storage.finding_texts import read_findings
from storage.lifecycle_tables import FixRow, TrackedRow
from storage.merging import is_waiting, take_step
from storage.tables import FindingRow
from storage.tracked_rows import (
    is_excepted,
    is_fixed,
    is_open,
    is_overdue,
    is_regressed,
    is_seen_once,
    matching,
    to_tracked,
)
from storage.trail import append_in
from storage.trends import row_heads, trend

_HANDLE = re.compile(r"(?:f-)?([0-9a-f]{4,32})", re.IGNORECASE)
_AFTER_HEX = "g"
_Found = Sequence[tuple[TrackedRow, bytes]]


class SqlTracker:
    """Implements `audit.ports.FindingTracker`."""

    def __init__(self, database: Database, sla: Sla | None = None) -> None:
        self._database = database
        self._sla = sla or Sla()

    def with_sla(self, sla: Sla) -> Self:
        """Return the same with other due dates."""
        return type(self)(self._database, sla)

    def search(self, query: FindingQuery, *, now: datetime, offset: int = 0, limit: int = 20) -> FindingPage:
        """Return a page of findings as they stand: worst first, then the longest open."""
        wanted = matching(query, sla=self._sla, now=now)
        with self._database.reading() as session:
            total = session.exec(select(func.count()).select_from(TrackedRow).where(wanted)).one()
            items = self._page(session, wanted, now=now, offset=offset, limit=limit) if total > offset else ()
        return FindingPage(tuple(items), total)

    def track(self, name: str, *, now: datetime) -> TrackedFinding:
        """Return how a finding stands, by its fingerprint or its handle.

        Raises:
            NotFoundError: no report has shown it failing, or more than one goes by that handle.
        """
        match = _HANDLE.fullmatch(name.strip())
        digits = match[1].lower() if match else ""
        fingerprint = col(TrackedRow.fingerprint)
        named = and_(fingerprint >= digits, fingerprint < digits + _AFTER_HEX)
        with self._database.reading() as session:
            found = self._page(session, named, now=now, offset=0, limit=2) if digits else []
        if len(found) != 1:
            problem = "more than one finding goes by" if found else "no report has shown failing"
            raise NotFoundError(f"{problem} “{name[:80]}”")
        return found[0]

    def overview(self, now: datetime, *, accounts: Collection[str] = ()) -> Overview:
        """Return how many findings stand where; those of some accounts alone, where any are named."""
        of_these = partial(and_, in_accounts(accounts))
        with self._database.reading() as session:
            return Overview(
                open_by_severity=by_severity(session, of_these(is_open(now))),
                overdue_by_severity=by_severity(session, of_these(is_overdue(self._sla, now), is_open(now))),
                new=count(session, of_these(is_open(now), is_seen_once())),
                regressed=count(session, of_these(is_open(now), is_regressed())),
                fixed=count(session, of_these(is_fixed())),
                excepted=count(session, of_these(is_excepted(now))),
            )

    def trend(self, limit: int = 20, *, report_id: str = LATEST) -> list[TrendPoint]:
        """Return the newest reports of one row, oldest first.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """
        with self._database.reading() as session:
            return trend(session, report_id, limit=limit)

    def rows(self) -> list[RowHead]:
        """Return the newest report of each row, the row with the largest report first; see `FindingTracker.rows`."""
        with self._database.reading() as session:
            return row_heads(session)

    def compare(self, before: str, after: str, *, limit: int = 10) -> Comparison:
        """Return what changed between two reports.

        Raises:
            NotFoundError: none, or more than one, goes by one of the names.
        """
        with self._database.reading() as session:
            return compare(session, before, after, limit=limit)

    def newly(
        self,
        states: Collection[LifecycleState],
        since: datetime,
        *,
        now: datetime,
        limit: int = 50,
        accounts: Collection[str] = (),
    ) -> list[TrackedFinding]:
        """Return the findings that came into one of the states after `since` and still are in it: worst first."""
        wanted = and_(in_accounts(accounts), came_newly(states, since, now))
        with self._database.reading() as session:
            return self._page(session, wanted, now=now, offset=0, limit=limit) if states else []

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
        of_these = and_(in_accounts(accounts), col(TrackedRow.severity_rank) == severity.rank)
        wanted = and_(of_these, came_newly(states, since, now))
        with self._database.reading() as session:
            return count(session, wanted) if states else 0

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

        Raises:
            TrailError: the trail cannot be written; nothing was changed.
        """
        unfixed = and_(col(TrackedRow.fingerprint) == fingerprint, col(TrackedRow.fixed_at).is_(None))
        with self._database.writing() as session:
            row = session.exec(select(TrackedRow).where(unfixed).with_for_update()).first()
            if row is None:
                return False
            decided_at = max(at, row.decided_at)
            session.exec(
                update(TrackedRow)
                .where(unfixed)
                .values(
                    fixed_at=at,
                    fixed_by=execution_id,
                    evidence=dict(evidence),
                    decided_at=decided_at,
                    changed_at=at,
                )
            )
            note_fixes(session, [(fingerprint, row.opened_at)], scanner=row.source, fixed_at=at)
            event = _event("finding.fixed", row, execution_id, at=at, actor=actor)
            append_in(session, replace(event, detail={**event.detail, "evidence": dict(evidence)}))
        return True

    def mark_open(self, fingerprint: str, *, execution_id: str, at: datetime, actor: Actor) -> bool:
        """Note that an execution's fix was taken back, together with its trail entry; tell whether that was news.

        Raises:
            TrailError: the trail cannot be written; nothing was changed.
        """
        ours = and_(col(TrackedRow.fingerprint) == fingerprint, col(TrackedRow.fixed_by) == execution_id)
        with self._database.writing() as session:
            row = session.exec(select(TrackedRow).where(ours, is_fixed()).with_for_update()).first()
            if row is None:
                return False
            same_fix = session.get(FixRow, (fingerprint, row.fixed_at))
            if same_fix is not None:
                session.delete(same_fix)
            session.exec(
                update(TrackedRow)
                .where(ours)
                .values(fixed_at=None, fixed_by="", evidence=None, changed_at=at, decided_at=at)
            )
            append_in(session, _event("finding.reopened", row, execution_id, at=at, actor=actor))
        return True

    def catch_up(self, now: datetime) -> bool:
        """Work a part of a report into the findings' states; tell whether there is more to do."""
        take_step(self._database, now)
        return is_waiting(self._database)

    def is_behind(self) -> bool:
        """Tell whether a report is still to be worked in."""
        return is_waiting(self._database)

    def _page(
        self, session: Session, wanted: ColumnElement[bool], *, now: datetime, offset: int, limit: int
    ) -> list[TrackedFinding]:
        order = col(TrackedRow.severity_rank), col(TrackedRow.opened_at), col(TrackedRow.fingerprint)
        names = list(
            session.exec(
                select(TrackedRow.fingerprint).where(wanted).order_by(*order).offset(offset).limit(limit)
            )
        )
        found = session.exec(
            select(TrackedRow, FindingRow.texts_number, FindingRow.body)
            .join(
                FindingRow,
                and_(
                    col(FindingRow.report_key) == col(TrackedRow.report_key),
                    col(FindingRow.position) == col(TrackedRow.position),
                ),
            )
            .where(col(TrackedRow.fingerprint).in_(names))
            .order_by(*order)
        ).all()
        excepted = excepted_until(session, names, now)
        findings = read_findings(session, [(row.report_key, *stored) for row, *stored in found])
        rows = [row for row, *_ in found]
        return to_tracked(zip(rows, findings, strict=True), excepted=excepted, sla=self._sla, now=now)


def _event(kind: str, row: TrackedRow, execution_id: str, *, at: datetime, actor: Actor) -> TrailEvent:
    detail: dict[str, object] = {
        "finding": short_name(row.fingerprint),
        "fingerprint": row.fingerprint,
        "resource": row.resource,
        "account_id": row.account_id,
    }
    return TrailEvent(kind=kind, actor=actor, at=at, subject=execution_id, detail=detail)
