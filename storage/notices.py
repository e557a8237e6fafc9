"""What people were told, each thing once, by whichever process comes first."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Field, col, select

from audit.waiting import has_passed
from remediation.ports import notice_wait
from storage.database import Database, hold_write_lock
from storage.tables import Row


class NoticeRow(Row, table=True):
    """Something people are to be told. It is stored before it is said, and `told` once it was."""

    __tablename__ = "notices"

    notice_id: str = Field(primary_key=True)
    begun_at: datetime
    attempts: int
    told: bool


class SqlNotices:
    """Implements `remediation.ports.Notices`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, notice_id: str, now: datetime) -> int:
        """Take on telling something, committed at return; see `Notices.begin`."""
        with self._database.writing() as session:
            hold_write_lock(session.connection())
            row = session.get(NoticeRow, notice_id)
            if row is None:
                session.add(NoticeRow(notice_id=notice_id, begun_at=now, attempts=1, told=False))
                return 1
            if row.told or not has_passed(row.begun_at, now, span=notice_wait(row.attempts)):
                return 0
            row.begun_at, row.attempts = now, row.attempts + 1
            session.add(row)
            return row.attempts

    def told(self, notice_id: str) -> None:
        """Note that it was said."""
        with self._database.writing() as session:
            if row := session.get(NoticeRow, notice_id):
                row.told = True
                session.add(row)

    def untold(self, notice_ids: Iterable[str]) -> list[str]:
        """Return those that nobody has been told yet, in their order."""
        wanted = list(notice_ids)
        if not wanted:
            return []
        known = select(NoticeRow.notice_id).where(col(NoticeRow.notice_id).in_(wanted), col(NoticeRow.told))
        with self._database.reading() as session:
            said = set(session.exec(known))
        return [notice_id for notice_id in wanted if notice_id not in said]
