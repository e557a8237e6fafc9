"""The trail in the database: one entry after the other, in the transaction of the change it tells of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from audit.errors import CountersignError, TrailError
from audit.trail import TrailEntry, TrailEvent, append
from storage.database import Database, hold_write_lock
from storage.tables import TrailRow, table_of
from storage.wording import in_words

_BATCH = 5000
_NAMES = ("seq", "body", "previous_hash", "entry_hash")
_TRAIL = table_of(TrailRow)
# Through Core: a million rows as objects of the mapper would take a minute.
_COLUMNS = select(*(_TRAIL.c[name] for name in _NAMES))
_HEAD = _COLUMNS.order_by(_TRAIL.c.seq.desc()).limit(1)
_APPEND = insert(_TRAIL)
_REFUSAL = "the trail cannot be written, so nothing was changed"


def append_in(session: Session, event: TrailEvent) -> TrailEntry:
    """Append an event in a transaction that others began: their last statement, so the lock is held briefly.

    Raises:
        TrailError: it cannot be written; leaving the session by this error undoes the rest.
    """
    return append_all_in(session, [event])[0]


def append_all_in(session: Session, events: Sequence[TrailEvent]) -> list[TrailEntry]:
    """Append several events, in order; see `append_in`.

    Raises:
        TrailError: they cannot be written; leaving the session by this error undoes the rest.
    """
    with _refusing():
        session.flush()
    return append_on(session.connection(), events)


def append_on(connection: Connection, events: Sequence[TrailEvent]) -> list[TrailEntry]:
    """Append several events, in order, on a connection on which others began a transaction; see `append_in`.

    Raises:
        TrailError: they cannot be written; the transaction must be undone.
    """
    with _refusing():
        return _append(connection, events)


class SqlTrail:
    """Implements `audit.ports.Trail`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: TrailEvent) -> TrailEntry:
        """Append an event that goes with no other change.

        Raises:
            TrailError: it cannot be written.
        """
        return self.record_all([event])[0]

    def record_all(self, events: Sequence[TrailEvent]) -> list[TrailEntry]:
        """Append several events in one transaction: all of them, or none.

        Raises:
            TrailError: they cannot be written.
        """
        with _refusing():
            return self._database.write_together(_append_all, events)

    def stream(self) -> Iterator[TrailEntry]:
        """Yield all entries from the first, in batches that each are a short read of their own."""
        seq = 0
        while batch := self._after(seq):
            yield from batch
            seq = batch[-1].seq

    def head(self) -> TrailEntry | None:
        """Return the newest entry."""
        with self._database.reading() as session:
            return _head(session.connection())

    def _after(self, seq: int) -> list[TrailEntry]:
        following = _COLUMNS.where(_TRAIL.c.seq > seq).order_by(_TRAIL.c.seq).limit(_BATCH)
        with self._database.reading() as session:
            return [_entry(row) for row in session.connection().execute(following)]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        with in_words():
            yield
    except CountersignError as error:
        raise TrailError(f"{_REFUSAL}: {error}") from error
    except SQLAlchemyError as error:
        raise TrailError(_REFUSAL) from error


def _append_all(connection: Connection, batches: Sequence[Sequence[TrailEvent]]) -> list[list[TrailEntry]]:
    entries = iter(_append(connection, [event for events in batches for event in events]))
    return [list(islice(entries, len(events))) for events in batches]


def _append(connection: Connection, events: Sequence[TrailEvent]) -> list[TrailEntry]:
    """Append events behind whoever else is appending."""
    hold_write_lock(connection)
    head, entries = _head(connection), list[TrailEntry]()
    for event in events:
        head = append(head, event)
        entries.append(head)
    if entries:
        rows = [{name: getattr(entry, name) for name in _NAMES} for entry in entries]
        connection.execute(_APPEND, rows)
    return entries


def _head(connection: Connection) -> TrailEntry | None:
    row = connection.execute(_HEAD).first()
    return _entry(row) if row else None


def _entry(row: Sequence[Any]) -> TrailEntry:
    """Return the entry as it lies there; somebody may have put texts or numbers where bytes belong."""
    seq, body, previous_hash, entry_hash = row
    return TrailEntry(seq, _bytes(body), _bytes(previous_hash), _bytes(entry_hash))


def _bytes(stored: object) -> bytes:
    return stored if isinstance(stored, bytes) else str(stored).encode("utf-8", "surrogatepass")
