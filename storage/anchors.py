"""Which heads of the trail were noted elsewhere and where, so that several processes note each once."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from audit.anchors import LONGEST_ANCHOR_REST, Anchor, DueAnchor, anchor_wait
from audit.waiting import has_come, has_passed
from storage.database import Database, hold_write_lock
from storage.tables import AnchorRow, TrailRow


class SqlAnchors:
    """Implements `audit.ports.Anchors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime, *, every: timedelta) -> DueAnchor | None:
        """Return a head that has to be noted elsewhere now; see `Anchors.due`."""
        with self._database.reading() as session:  # asked every few seconds: nobody should wait for it
            if _next(session, now, every) is None:
                return None
        with self._database.writing() as session:
            hold_write_lock(session.connection())
            row = _next(session, now, every)
            if row is None:
                return None
            row.attempts += 1
            row.next_attempt_at = now + anchor_wait(row.attempts)
            session.add(row)
            return DueAnchor(Anchor(row.seq, row.entry_hash), row.attempts, frozenset(row.places))

    def noted(self, anchor: Anchor, place: str) -> None:
        """Note that it stands in one place."""
        with self._database.writing() as session:
            hold_write_lock(session.connection())
            if row := session.get(AnchorRow, anchor.seq):
                row.places = sorted({*row.places, place})
                session.add(row)

    def told(self, anchor: Anchor) -> None:
        """Note that it stands in all places."""
        with self._database.writing() as session:
            session.exec(update(AnchorRow).where(col(AnchorRow.seq) == anchor.seq).values(told=True))

    def first_without(self, place: str) -> Anchor | None:
        """Return the first of the last heads that do not stand in a place; see `Anchors.first_without`."""
        first = None
        with self._database.reading() as session:
            for row in session.exec(select(AnchorRow).order_by(col(AnchorRow.seq).desc())):
                if row.told or place in row.places:
                    break
                first = Anchor(row.seq, row.entry_hash)
        return first


def _next(session: Session, now: datetime, every: timedelta) -> AnchorRow | None:
    """Return the row of what is to be noted: a new one of the head where it is time, else the last where it does not stand everywhere."""
    last = session.exec(select(AnchorRow).order_by(col(AnchorRow.seq).desc()).limit(1)).first()
    if last is None or has_passed(last.noted_at, now, span=every):
        head = session.exec(select(TrailRow).order_by(col(TrailRow.seq).desc()).limit(1)).first()
        if head is not None and (last is None or head.seq > last.seq):
            return AnchorRow(seq=head.seq, entry_hash=head.entry_hash, noted_at=now, told=False)
    if last is None or last.told or _rests(last, now):
        return None
    return last


def _rests(row: AnchorRow, now: datetime) -> bool:
    due_at = row.next_attempt_at
    return due_at is not None and not has_come(due_at, now, longest=LONGEST_ANCHOR_REST)
