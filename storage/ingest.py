"""Storing a report: in batches that nobody sees, then made visible at one stroke.

One transaction over all of it would hold SQLite's only write lock for as long as a file takes to read, and
approvals would wait for it.
"""

import time
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import and_, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from audit.actor import Actor
from audit.errors import CountersignError, InputError, StateError
from audit.ingest import Reading
from audit.ingest.packing import Packed, Sum, pack
from audit.ports import Ingested
from audit.report import ReportHeader
from audit.trail import TrailEvent
from storage.columns import column_text
from storage.database import Database
from storage.lifecycle_tables import ScopeRow
from storage.loading import Writer
from storage.merging import queue, take_step
from storage.removing import remove_abandoned, remove_loading
from storage.report_rows import to_header
from storage.tables import LOADING, VISIBLE, ReportRow
from storage.trail import append_in

_SCOPE_BATCH = 50


def ingest(database: Database, reading: Reading, *, actor: Actor, now: datetime) -> Ingested:
    """Store a reading, or find that its bytes are here already.

    Raises:
        InputError: the file fails as a whole, or holds no finding that can be used. Nothing is stored.
        TrailError: the trail cannot be written. Nothing is stored.
    """
    began = time.monotonic()
    if known := _visible(database, reading):
        return Ingested(known, is_new=False)
    with ExitStack() as undo:
        report_key = _begin(database, reading, now)
        undo.callback(remove_loading, database, report_key)
        contents = _load(database, report_key, reading)
        try:
            header = _publish(database, report_key, contents, actor=actor, now=now)
        except IntegrityError:
            if known := _visible(database, reading):
                return Ingested(known, is_new=False)
            raise
        undo.pop_all()
    with suppress(CountersignError):  # the report is in; whoever catches up next does the rest
        while take_step(database, now + timedelta(seconds=time.monotonic() - began)):
            pass
    return Ingested(header, is_new=True)


def _visible(database: Database, reading: Reading) -> ReportHeader | None:
    same_bytes = select(ReportRow).where(
        ReportRow.content_sha256 == reading.content_sha256, ReportRow.state == VISIBLE
    )
    with database.reading() as session:
        row = session.exec(same_bytes).first()
    return to_header(row) if row else None


def _begin(database: Database, reading: Reading, now: datetime) -> int:
    generated_at = reading.generated_at or now
    row = ReportRow(
        report_id=f"r-{reading.content_sha256[:10]}",
        content_sha256=reading.content_sha256,
        state=LOADING,
        source=column_text(reading.source),
        name=column_text(reading.name),
        generated_at=generated_at,
        as_of=min(generated_at, now),
        begun_at=now,
        summary={},
        compliance={},
        recommendations=[],
        rejected=[],
    )
    remove_abandoned(database, now)
    with database.writing() as session:
        session.add(row)
        session.flush()
        assert row.report_key is not None  # noqa: S101 - the database has just given it; narrows the type
        return row.report_key


def _load(database: Database, report_key: int, reading: Reading) -> Sum:
    with Writer(database, report_key) as writer:
        contents = _write_all(reading.packed or pack(reading.items), writer)
    if not contents.total:
        # An empty report would become the newest one, and say that nothing fails.
        why = (
            f"none of its findings can be used; {contents.lines[0]}"
            if contents.rejected
            else "no findings in it"
        )
        raise InputError(f"{column_text(reading.name)}: {why}")
    if reading.is_complete:
        _store_scopes(database, report_key, contents)
    return contents


def _write_all(packed: Packed, writer: Writer) -> Sum:
    try:
        while True:
            writer.write(next(packed))
    except StopIteration as end:
        contents: Sum = end.value
        return contents


def _store_scopes(database: Database, report_key: int, contents: Sum) -> None:
    rows = (
        {"report_key": report_key, "account_id": account_id, "regions": regions, "checks": checks}
        for account_id, regions, checks in contents.scopes
    )
    while batch := list(islice(rows, _SCOPE_BATCH)):
        with database.writing() as session:
            session.connection().execute(insert(ScopeRow), batch)


def _publish(
    database: Database, report_key: int, contents: Sum, *, actor: Actor, now: datetime
) -> ReportHeader:
    changes = {
        "state": VISIBLE,
        "summary": contents.summary,
        "compliance": contents.compliance,
        "recommendations": contents.recommendations,
        "rejected": contents.lines,
    }
    ours = and_(col(ReportRow.report_key) == report_key, col(ReportRow.state) == LOADING)
    with database.writing() as session:
        if session.exec(update(ReportRow).where(ours).values(**changes)).rowcount != 1:
            raise StateError("the report was removed while it was being read; ingest it again")
        row = session.get_one(ReportRow, report_key)
        queue(session, row)
        append_in(session, _event(row, contents, actor=actor, now=now))
    return to_header(row)


def _event(row: ReportRow, contents: Sum, *, actor: Actor, now: datetime) -> TrailEvent:
    detail = {
        "report_id": row.report_id,
        "name": row.name,
        "source": row.source,
        "content_sha256": row.content_sha256,
        "counts": contents.counts(),
    }
    return TrailEvent(kind="report.ingested", actor=actor, at=now, subject=row.report_id, detail=detail)
