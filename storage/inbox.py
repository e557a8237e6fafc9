"""Acknowledged requests in the database, so that a crash between a click and its answer loses nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

import orjson
from sqlalchemy import Connection, Row, Select, and_, bindparam, func, or_, select, update

from audit.actor import Actor
from audit.waiting import CLOCKS_DIFFER
from remediation.ports import ANSWERER_LOST_AFTER, Request
from storage.database import Database
from storage.inserting import insert_all_new
from storage.tables import OwnerRow, RequestRow, table_of

_REQUESTS: Final = table_of(RequestRow)
_OWNERS: Final = table_of(OwnerRow)
_COLUMNS: Final = _REQUESTS.c
_IS_NAMED: Final = _COLUMNS.request_id == bindparam("name")
_ARE_NAMED: Final = _COLUMNS.request_id.in_(bindparam("names", expanding=True))
_IS_OPEN: Final = _COLUMNS.payload.is_not(None)
_OWNER: Final = bindparam("owner", type_=_COLUMNS.held_by.type)
_HEARD_OF: Final = select(_OWNERS.c.owner_id).where(
    _OWNERS.c.owner_id == _COLUMNS.held_by,
    _OWNERS.c.seen_at > bindparam("lost"),
    _OWNERS.c.seen_at <= bindparam("ahead"),
)
_IS_FREE: Final = or_(
    _COLUMNS.held_by.is_(None),
    _COLUMNS.held_by == _OWNER,
    and_(
        or_(_COLUMNS.held_until <= bindparam("now"), _COLUMNS.held_until > bindparam("too_far")),
        ~_HEARD_OF.exists(),
    ),
)

# Built once: each click runs all of them.
_GET: Final = select(_REQUESTS).where(_IS_NAMED, _IS_OPEN)
_TAKE: Final = (
    update(_REQUESTS)
    .where(_ARE_NAMED, _IS_OPEN, _IS_FREE)
    .values(attempts=_COLUMNS.attempts + 1, held_by=_OWNER, held_until=bindparam("until"))
)
_BEGIN: Final = _TAKE.returning(_REQUESTS)
# All of them as one value: after each row a thread has to wait until it may run again; see `insert_all_new`.
_AT_ONCE: Final = select(
    func.json_group_array(
        func.json_array(
            _COLUMNS.request_id,
            _COLUMNS.kind,
            func.json(_COLUMNS.actor),
            _COLUMNS.received_at,
            func.json(_COLUMNS.payload),
            _COLUMNS.attempts,
        )
    )
).where(
    _ARE_NAMED,
    _COLUMNS.held_by == _OWNER,
    _COLUMNS.held_until == bindparam("until", type_=_COLUMNS.held_until.type),
)
_DONE: Final = update(_REQUESTS).where(_ARE_NAMED).values(payload=None)
_OPEN: Final = (
    select(_COLUMNS.request_id).where(_IS_OPEN, _IS_FREE).order_by(_COLUMNS.received_at, _COLUMNS.request_id)
)


class _Taking(NamedTuple):
    """Who wants to answer which request, and when that is."""

    request_id: str
    owner: str
    now: datetime


class SqlInbox:
    """Implements `remediation.ports.Inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, request: Request) -> None:
        """Store a request; the same id twice is one request, even when the first is answered already.

        Committed at return.
        """
        self._database.write_together(_put_all, request)

    def put_all(self, requests: Sequence[Request]) -> list[Exception | None]:
        """Store several requests in one commit; return, in their order, what kept each from being stored. The others are."""
        return self._database.write_each(_put_all, requests)

    def get(self, request_id: str) -> Request | None:
        """Return a request that is still to be answered."""
        with self._database.reading() as session:
            return _request(session.connection().execute(_GET, {"name": request_id}).first())

    def begin(self, request_id: str, *, owner: str, now: datetime) -> Request | None:
        """Take a request, count an attempt and return the request with it; None where it is answered, or another one's."""
        return self._database.write_together(_begin_all, _Taking(request_id, owner, now))

    def done(self, request_id: str) -> None:
        """Forget a request's payload: it is answered."""
        self._database.write_together(_finish_all, request_id)

    def open_requests(
        self, owner: str, now: datetime, limit: int = 1000, *, kinds: Collection[str] | None = None
    ) -> list[str]:
        """Return the ids of requests still to be answered that this owner would get, oldest first; those of some kinds, or all."""
        wanted = (_OPEN if kinds is None else _OPEN.where(_COLUMNS.kind.in_(kinds))).limit(limit)
        with self._database.reading() as session:
            return _names_of(session.connection(), wanted, _moment(owner, now))


def _names_of(connection: Connection, wanted: Select[Any], values: Mapping[str, object]) -> list[str]:
    """Return what a query for names finds, in its order; from SQLite as one value, as in `_AT_ONCE`: it keeps the order of a subquery with a limit."""
    if connection.dialect.name != "sqlite":
        return list(connection.execute(wanted, values).scalars())
    (column,) = wanted.subquery().c
    found = connection.execute(select(func.json_group_array(column)), values).scalar_one()
    return list(orjson.loads(found))


def _put_all(connection: Connection, requests: Sequence[Request]) -> Sequence[object]:
    in_order = sorted(
        requests, key=lambda request: request.request_id
    )  # two processes never wait for each other's
    insert_all_new(connection, _REQUESTS, [_row(request) for request in in_order])
    return requests


def _begin_all(connection: Connection, takings: Sequence[_Taking]) -> list[Request | None]:
    names, owners = {each.request_id for each in takings}, {each.owner for each in takings}
    if (
        len(names) < len(takings) or len(owners) > 1
    ):  # two began the same request, or for two owners: one after the other
        return [request for taking in takings for request in _begin_all(connection, [taking])]
    now = min(each.now for each in takings)  # what came at once differs by milliseconds
    taken = {"names": list(names), "until": now + ANSWERER_LOST_AFTER, **_moment(takings[0].owner, now)}
    begun = {request.request_id: request for request in _take(connection, taken)}
    return [begun.get(each.request_id) for each in takings]


def _take(connection: Connection, taken: Mapping[str, object]) -> Iterator[Request]:
    """Take what is free of the named requests, and yield it."""
    if connection.dialect.name != "sqlite":
        yield from filter(None, map(_request, connection.execute(_BEGIN, taken)))
        return
    connection.execute(_TAKE, taken)
    for request_id, kind, actor, received_at, payload, attempts in orjson.loads(
        connection.execute(_AT_ONCE, taken).scalar_one()
    ):
        yield Request(
            request_id=request_id,
            kind=kind,
            actor=Actor(**actor),
            received_at=_read_time(connection, received_at),
            payload=payload or {},
            attempts=attempts,
        )


def _read_time(connection: Connection, text: str) -> datetime:
    read = _COLUMNS.received_at.type.dialect_impl(connection.dialect).result_processor(
        connection.dialect, None
    )
    return cast("datetime", read(text) if read else text)


def _moment(owner: str, now: datetime) -> dict[str, object]:
    """Return what tells whether a request is free for an owner; see `audit.waiting`."""
    ahead = now + CLOCKS_DIFFER
    return {
        "owner": owner,
        "now": now,
        "lost": now - ANSWERER_LOST_AFTER,
        "ahead": ahead,
        "too_far": ahead + ANSWERER_LOST_AFTER,
    }


def _finish_all(connection: Connection, names: Sequence[str]) -> Sequence[object]:
    connection.execute(_DONE, {"names": list(names)})
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
