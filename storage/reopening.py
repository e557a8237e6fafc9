"""Findings that come back: a report shows failing what was fixed before it was made."""

from collections.abc import Iterator
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from audit.actor import WORKER
from audit.finding_fields import read_instant
from audit.findings import short_name
from audit.trail import TrailEvent
from storage.lifecycle_tables import RegressionRow, TrackedRow
from storage.seeing import failing
from storage.tables import FindingRow
from storage.trail import append_all_in


def reopen(
    session: Session, window: ColumnElement[bool], *, report_id: str, as_of: datetime, at: datetime
) -> None:
    """Open again what a part of a report shows failing after it was fixed.

    What an execution had fixed goes on the trail, and is queued for whoever tells people.

    Args:
        session: a transaction to write in.
        window: the condition for the part.
        report_id: which report.
        as_of: when it was made.
        at: when we learned of it.
    """
    back = {row.fingerprint: row for row in _back(session, window, as_of)}
    if not back:
        return
    events = []
    for row in back.values():
        if row.fixed_by:
            session.add(_regression(row, report_id=report_id, as_of=as_of))
            events.append(_event(row, report_id=report_id, as_of=as_of, at=at))
    session.exec(
        update(TrackedRow)
        .where(col(TrackedRow.fingerprint).in_(list(back)))
        .values(
            fixed_at=None,
            regressed_from=TrackedRow.fixed_by,
            fixed_by="",
            evidence=None,
            regressed_at=as_of,
            opened_at=as_of,
            decided_at=as_of,
            changed_at=at,
            muted=False,
        )
        .execution_options(synchronize_session=False)
    )
    append_all_in(session, events)


def _back(session: Session, window: ColumnElement[bool], as_of: datetime) -> Iterator[TrackedRow]:
    fixed = (
        select(TrackedRow, FindingRow.body)
        .join(FindingRow, col(FindingRow.fingerprint) == col(TrackedRow.fingerprint))
        .where(window, failing(), col(TrackedRow.fixed_at).is_not(None), col(TrackedRow.decided_at) < as_of)
    )
    for row, body in session.exec(fixed).all():
        if not row.fixed_by or not _is_stale(row, body):
            yield row


def _is_stale(row: TrackedRow, body: bytes) -> bool:
    """Tell whether the scanner had looked before we fixed it: some repeat for hours what they saw last."""
    observed_at = read_instant(orjson.loads(body).get("observed_at"))
    return observed_at is not None and row.fixed_at is not None and observed_at <= row.fixed_at


def _regression(row: TrackedRow, *, report_id: str, as_of: datetime) -> RegressionRow:
    return RegressionRow(
        execution_id=row.fixed_by,
        fingerprint=row.fingerprint,
        report_id=report_id,
        seen_at=as_of,
        told=False,
        attempts=0,
        next_attempt_at=as_of,
    )


def _event(row: TrackedRow, *, report_id: str, as_of: datetime, at: datetime) -> TrailEvent:
    detail: dict[str, object] = {
        "finding": short_name(row.fingerprint),
        "fingerprint": row.fingerprint,
        "resource": row.resource,
        "account_id": row.account_id,
        "report_id": report_id,
        "seen_at": as_of.isoformat(),
        "fixed_at": row.fixed_at.isoformat() if row.fixed_at else "",
    }
    return TrailEvent(kind="finding.regressed", actor=WORKER, at=at, subject=row.fixed_by, detail=detail)
