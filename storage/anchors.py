"""Which heads of the trail were noted elsewhere, so that several processes note each once."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from audit.anchors import Anchor
from audit.waiting import has_passed
from storage.database import Database, hold_write_lock
from storage.tables import AnchorRow, TrailRow


class SqlAnchors:
    """Implements `audit.ports.Anchors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime, *, every: timedelta) -> Anchor | None:
        """Return a head that has to be noted elsewhere now; see `Anchors.due`."""
        with self._database.reading() as session:  # asked every few seconds: nobody should wait for it
            if _next(session, now, every) is None:
                return None
        with self._database.writing() as session:
            hold_write_lock(session.connection())
            row = _next(session, now, every)
            if row is None:
                return None
            session.add(row)
            return Anchor(row.seq, row.entry_hash)

    def told(self, anchor: Anchor) -> None:
        """Note that it stands elsewhere now."""
        with self._database.writing() as session:
            session.exec(update(AnchorRow).where(col(AnchorRow.seq) == anchor.seq).values(told=True))


def _next(session: Session, now: datetime, every: timedelta) -> AnchorRow | None:
    """Return the row of what is to be noted: one that nobody was told, or a new one of the head."""
    last = session.exec(select(AnchorRow).order_by(col(AnchorRow.seq).desc()).limit(1)).first()
    if last is not None and not last.told:
        return last
    if last is not None and not has_passed(last.noted_at, now, span=every):
        return None
    head = session.exec(select(TrailRow).order_by(col(TrailRow.seq).desc()).limit(1)).first()
    if head is None or (last is not None and head.seq <= last.seq):
        return None
    return AnchorRow(seq=head.seq, entry_hash=head.entry_hash, noted_at=now, told=False)
