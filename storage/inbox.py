"""Acknowledged requests in the database, so that a crash between a click and its answer loses nothing."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from audit.actor import Actor
from remediation.ports import Request
from storage.database import Database
from storage.inserting import insert_new
from storage.tables import RequestRow, table_of

_REQUESTS: Final = table_of(RequestRow)
_COLUMNS: Final = _REQUESTS.c
_IS_NAMED: Final = _COLUMNS.request_id == bindparam("name")
_IS_OPEN: Final = _COLUMNS.payload.is_not(None)

# Built once: each click runs all of them.
_GET: Final = select(_REQUESTS).where(_IS_NAMED, _IS_OPEN)
_BEGIN: Final = (
    update(_REQUESTS)
    .where(_COLUMNS.request_id.in_(bindparam("names", expanding=True)), _IS_OPEN)
    .values(attempts=_COLUMNS.attempts + 1)
    .returning(_REQUESTS)
)
_DONE: Final = update(_REQUESTS).where(_IS_NAMED).values(payload=None)
_OPEN: Final = select(_COLUMNS.request_id).where(_IS_OPEN).order_by(_COLUMNS.received_at, _COLUMNS.request_id)


class SqlInbox:
    """Implements `remediation.ports.Inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, request: Request) -> None:
        """Store a request; the same id twice is one request, even when the first is answered already.

        Committed at return.
        """
        self._database.write_together(_put_all, request)

    def get(self, request_id: str) -> Request | None:
        """Return a request that is still to be answered."""
        with self._database.reading() as session:
            return _request(session.connection().execute(_GET, {"name": request_id}).first())

    def begin(self, request_id: str) -> Request | None:
        """Count an attempt and return the request with it; None where it is answered already."""
        return self._database.write_together(_begin_all, request_id)

    def done(self, request_id: str) -> None:
        """Forget a request's payload: it is answered."""
        self._database.write_together(_finish_all, request_id)

    def open_requests(self, limit: int = 1000) -> list[str]:
        """Return the ids of requests still to be answered, oldest first."""
        with self._database.reading() as session:
            return list(session.connection().execute(_OPEN.limit(limit)).scalars())


def _put_all(connection: Connection, requests: Sequence[Request]) -> Sequence[object]:
    connection.execute(insert_new(connection, _REQUESTS), [_row(request) for request in requests])
    return requests


def _begin_all(connection: Connection, names: Sequence[str]) -> list[Request | None]:
    if len(set(names)) < len(names):  # two began the same request: both are counted, so one after the other
        return [request for name in names for request in _begin_all(connection, [name])]
    begun = {row.request_id: row for row in connection.execute(_BEGIN, {"names": names})}
    return [_request(begun.get(name)) for name in names]


def _finish_all(connection: Connection, names: Sequence[str]) -> Sequence[object]:
    connection.execute(_DONE, [{"name": name} for name in names])
    return names


def _row(request: Request) -> dict[str, object]:
    return {
        "request_id": request.request_id,
        "kind": request.kind,
        "actor": request.actor.to_dict(),
        "received_at": request.received_at,
        "payload": dict(request.payload),
        "attempts": request.attempts,
    }


def _request(row: Row[Any] | None) -> Request | None:
    if row is None:
        return None
    return Request(
        request_id=row.request_id,
        kind=row.kind,
        actor=Actor(**row.actor),
        received_at=row.received_at,
        payload=row.payload or {},
        attempts=row.attempts,
    )
