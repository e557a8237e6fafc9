"""The trail in the database: one entry after the other, in the transaction of the change it tells of."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from audit.errors import CountersignError, TrailError
from audit.trail import TrailEntry, TrailEvent, append
from storage.database import Database, hold_write_lock
from storage.tables import TrailRow
from storage.wording import in_words

_BATCH = 500
_REFUSAL = "the trail cannot be written, so nothing was changed"


def append_in(session: Session, event: TrailEvent) -> TrailEntry:
    """Append an event in a transaction that others began: their last statement, so the lock is held briefly.

    Raises:
        TrailError: it cannot be written; leaving the session by this error undoes the rest.
    """
    with _refusing():
        return _append(session, event)


class SqlTrail:
    """Implements `audit.ports.Trail`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: TrailEvent) -> TrailEntry:
        """Append an event that goes with no other change.

        Raises:
            TrailError: it cannot be written.
        """
        with _refusing(), self._database.writing() as session:
            return _append(session, event)

    def stream(self) -> Iterator[TrailEntry]:
        """Yield all entries from the first, in batches that each are a short read of their own."""
        seq = 0
        while batch := self._after(seq):
            yield from batch
            seq = batch[-1].seq

    def head(self) -> TrailEntry | None:
        """Return the newest entry."""
        with self._database.reading() as session:
            return _head(session)

    def _after(self, seq: int) -> list[TrailEntry]:
        following = select(TrailRow).where(col(TrailRow.seq) > seq).order_by(col(TrailRow.seq)).limit(_BATCH)
        with self._database.reading() as session:
            return [_entry(row) for row in session.exec(following)]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        with in_words():
            yield
    except CountersignError as error:
        raise TrailError(f"{_REFUSAL}: {error}") from error
    except SQLAlchemyError as error:
        raise TrailError(_REFUSAL) from error


def _append(session: Session, event: TrailEvent) -> TrailEntry:
    hold_write_lock(session.connection())
    entry = append(_head(session), event)
    session.add(_row(entry))
    session.flush()
    return entry


def _head(session: Session) -> TrailEntry | None:
    row = session.exec(select(TrailRow).order_by(col(TrailRow.seq).desc()).limit(1)).first()
    return _entry(row) if row else None


def _row(entry: TrailEntry) -> TrailRow:
    return TrailRow(
        seq=entry.seq, body=entry.body, previous_hash=entry.previous_hash, entry_hash=entry.entry_hash
    )


def _entry(row: TrailRow) -> TrailEntry:
    """Return the entry as it lies there; somebody may have put texts or numbers where bytes belong."""
    return TrailEntry(row.seq, _bytes(row.body), _bytes(row.previous_hash), _bytes(row.entry_hash))


def _bytes(stored: object) -> bytes:
    return stored if isinstance(stored, bytes) else str(stored).encode("utf-8", "surrogatepass")
