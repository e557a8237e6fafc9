"""Findings that somebody answers for leaving as they are, in the database."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.actor import Actor
from audit.errors import NotFoundError, StateError
from audit.findings import Finding
from audit.trail import TrailEvent
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from storage.columns import column_text
from storage.database import Database
from storage.journal import save_on
from storage.tables import ExceptionRow
from storage.trail import append_all_in, append_in


class SqlExceptions:
    """Implements `remediation.ports.Exceptions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def grant(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        exception: FindingException,
        events: Sequence[TrailEvent],
    ) -> PlaybookExecution:
        """Store a rejection and the exception with it, in one transaction; see `Exceptions.grant`."""
        with self._database.writing() as session:
            (saved,) = save_on(session.connection(), [(before, after)])
            session.add(to_exception_row(exception))
            session.flush()
            append_all_in(session, events)
        return saved

    def holding(self, fingerprint: str, now: datetime) -> FindingException | None:
        """Return the exception that holds for a finding at this moment, the longest where there are several."""
        mine = _open().where(ExceptionRow.fingerprint == fingerprint, col(ExceptionRow.until) > now)
        found = self._load(mine.order_by(col(ExceptionRow.until).desc()).limit(1))
        return found[0] if found else None

    def get(self, exception_id: str) -> FindingException:
        """Return an exception; see `Exceptions.get`."""
        found = self._load(select(ExceptionRow).where(ExceptionRow.exception_id == exception_id))
        if not found:
            raise NotFoundError(f"there is no exception {exception_id[:80]}")
        return found[0]

    def open(self, *, limit: int | None = None, offset: int = 0) -> list[FindingException]:
        """Return those that nothing has ended yet, the one that ends first before the others; a page of them, or all."""
        in_order = col(ExceptionRow.until), col(ExceptionRow.exception_id)
        return self._load(_open().order_by(*in_order).limit(limit).offset(offset))

    def over(self, now: datetime) -> list[FindingException]:
        """Return those whose time is over and that nobody has ended yet."""
        return self._load(_open().where(col(ExceptionRow.until) <= now).order_by(col(ExceptionRow.until)))

    def ended_since(self, since: datetime) -> list[FindingException]:
        """Return those that ended since a moment."""
        return self._load(select(ExceptionRow).where(col(ExceptionRow.ended_at) >= since))

    def end(self, exception: FindingException, event: TrailEvent, *, at: datetime, by: Actor | None) -> None:
        """End an exception with its trail entry; see `Exceptions.end`."""
        same = col(ExceptionRow.exception_id) == exception.exception_id
        ended = {"ended_at": at, "ended_by": by.to_dict() if by else None}
        with self._database.writing() as session:
            still_open = update(ExceptionRow).where(same, col(ExceptionRow.ended_at).is_(None))
            if session.exec(still_open.values(**ended)).rowcount != 1:
                raise StateError(f"the exception {exception.exception_id} has ended already")
            append_in(session, event)

    def _load(self, wanted: SelectOfScalar[ExceptionRow]) -> list[FindingException]:
        with self._database.reading() as session:
            return [_to_exception(row) for row in session.exec(wanted).all()]


def _open() -> SelectOfScalar[ExceptionRow]:
    return select(ExceptionRow).where(col(ExceptionRow.ended_at).is_(None))


def to_exception_row(exception: FindingException) -> ExceptionRow:
    """Return an exception as it is stored."""
    return ExceptionRow(
        exception_id=exception.exception_id,
        fingerprint=exception.finding.fingerprint,
        execution_id=exception.execution_id,
        finding=orjson.dumps(exception.finding.to_dict()),
        owner=exception.owner.to_dict(),
        reason=column_text(exception.reason),
        granted_at=exception.granted_at,
        until=exception.until,
        ended_at=exception.ended_at,
        ended_by=exception.ended_by.to_dict() if exception.ended_by else None,
    )


def _to_exception(row: ExceptionRow) -> FindingException:
    return FindingException(
        exception_id=row.exception_id,
        execution_id=row.execution_id,
        finding=Finding.from_dict(orjson.loads(row.finding)),
        owner=Actor(**row.owner),
        reason=row.reason,
        granted_at=row.granted_at,
        until=row.until,
        ended_at=row.ended_at,
        ended_by=Actor(**row.ended_by) if row.ended_by else None,
    )
