"""Removing reports that never became visible: in steps, each a short transaction, so that people who decide do not wait for it.

A step that is lost leaves a report that is still `loading`: the next one goes on with it.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, or_, tuple_
from sqlmodel import col, select

from storage.database import Database
from storage.finding_texts import FindingTextsRow
from storage.lifecycle_tables import ScopeRow
from storage.tables import LOADING, FindingRow, ReportRow

STEP: Final = 2000
"""As many rows as are deleted in one transaction."""
_ABANDONED_AFTER: Final = timedelta(hours=1)
_PARTS: Final = (
    (ScopeRow, (col(ScopeRow.report_key), col(ScopeRow.account_id))),
    (FindingTextsRow, (col(FindingTextsRow.report_key), col(FindingTextsRow.number))),
    (FindingRow, (col(FindingRow.report_key), col(FindingRow.position))),
)


def remove_abandoned(database: Database, now: datetime) -> None:
    """Remove what processes that died left half loaded."""
    for report_key in _loading(database, _is_abandoned(now)):
        remove_loading(database, report_key)


def has_abandoned(database: Database, now: datetime) -> bool:
    """Tell whether there is anything that a process that died left half loaded."""
    return bool(_loading(database, _is_abandoned(now)))


def remove_loading(database: Database, report_key: int) -> None:
    """Remove a report that never became visible. One that did is on the trail, and stays."""
    while _take_step(database, report_key):
        database.settle()


def _take_step(database: Database, report_key: int) -> bool:
    """Delete some of a report's rows, and last of all itself; tell whether there may be more."""
    ours = and_(col(ReportRow.report_key) == report_key, col(ReportRow.state) == LOADING)
    with database.writing() as session:
        if session.exec(select(ReportRow.report_key).where(ours).with_for_update()).first() is None:
            return False
        for table, key in _PARTS:
            some = select(*key).where(key[0] == report_key).limit(STEP)
            if session.exec(delete(table).where(tuple_(*key).in_(some))).rowcount:
                return True
        session.exec(delete(ReportRow).where(ours))
    return False


def _is_abandoned(now: datetime) -> ColumnElement[bool]:
    begun_at = col(ReportRow.begun_at)
    return or_(begun_at < now - _ABANDONED_AFTER, begun_at > now + _ABANDONED_AFTER)


def _loading(database: Database, which: ColumnElement[bool]) -> list[int]:
    wanted = select(ReportRow.report_key).where(col(ReportRow.state) == LOADING, which)
    with database.reading() as session:
        return [key for key in session.exec(wanted) if key is not None]
