"""Acknowledged requests in the database, so that a crash between a click and its answer loses nothing."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row as RowLike
from sqlalchemy import bindparam, null, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.actor import Actor
from remediation.ports import Request
from storage.database import Database
from storage.tables import RequestRow
from storage.together import Together

_INSERT: Mapping[str, Callable[..., sqlite.Insert | postgresql.Insert]] = MappingProxyType(
    {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
)
# Made once, and executed without the ORM: each answer takes two of them, while people wait for their acknowledgements.
_TABLE = RequestRow.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
_THIS = update(_TABLE).where(_TABLE.c.request_id == bindparam("this"))
_BEGIN = (
    _THIS.where(_TABLE.c.payload.is_not(None)).values(attempts=_TABLE.c.attempts + 1).returning(*_TABLE.c)
)
_DONE = _THIS.values(payload=null())


class SqlInbox:
    """Implements `remediation.ports.Inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = Together(self._insert)

    def put(self, request: Request) -> None:
        """Store a request; the same id twice is one request, even when the first is answered already.

        Committed at return. People wait for this one: what comes at the same time shares a commit.
        """
        self._together.put(request)

    def _insert(self, requests: Sequence[Request]) -> None:
        # In one order everywhere, so that two processes on Postgres cannot wait for each other.
        rows = [_row(request) for request in sorted(requests, key=lambda request: request.request_id)]
        new = _INSERT[self._database.engine.dialect.name](RequestRow).on_conflict_do_nothing()
        with self._database.writing(urgent=True) as session:
            session.connection().execute(new, rows)

    def get(self, request_id: str) -> Request | None:
        """Return a request that is still to be answered."""
        with self._database.reading() as session:
            row = session.exec(_still_open(request_id)).first()
        return _request(row) if row else None

    def begin(self, request_id: str) -> Request | None:
        """Count an attempt and return the request with it; None where it is answered already."""
        with self._database.writing() as session:
            row = session.connection().execute(_BEGIN, {"this": request_id}).first()
        return _request(row) if row else None

    def done(self, request_id: str) -> None:
        """Forget a request's payload: it is answered."""
        with self._database.writing() as session:
            session.connection().execute(_DONE, {"this": request_id})

    def open_requests(self, limit: int = 1000) -> list[str]:
        """Return the ids of requests still to be answered, oldest first."""
        still_open = (
            select(RequestRow.request_id)
            .where(col(RequestRow.payload).is_not(None))
            .order_by(col(RequestRow.received_at), col(RequestRow.request_id))
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.exec(still_open))


def _still_open(request_id: str) -> SelectOfScalar[RequestRow]:
    return select(RequestRow).where(RequestRow.request_id == request_id, col(RequestRow.payload).is_not(None))


def _row(request: Request) -> dict[str, object]:
    return {
        "request_id": request.request_id,
        "kind": request.kind,
        "actor": request.actor.to_dict(),
        "received_at": request.received_at,
        "payload": dict(request.payload),
        "attempts": request.attempts,
    }


def _request(row: "RequestRow | RowLike[Any]") -> Request:
    return Request(
        request_id=row.request_id,
        kind=row.kind,
        actor=Actor(**row.actor),
        received_at=row.received_at,
        payload=row.payload or {},
        attempts=row.attempts,
    )
