"""What was looked at after a fix, and which fixes did not last."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, update
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from remediation.aftercare import LONGEST_RECHECK_REST, Recheck, RecheckVerdict, Regression
from remediation.execution import PlaybookExecution
from remediation.ports import LONGEST_REST
from remediation.states import PlaybookStatus
from storage.database import Database
from storage.inserting import insert_or_replace
from storage.lifecycle_tables import RecheckRow, RegressionRow
from storage.tables import ExecutionRow, table_of
from storage.waiting import has_come

_TAKEN_BACK = (
    PlaybookStatus.ROLLING_BACK.value,
    PlaybookStatus.ROLLED_BACK.value,
    PlaybookStatus.ROLLBACK_FAILED.value,
)


class SqlRechecks:
    """Implements `remediation.aftercare.Rechecks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime, limit: int = 20) -> list[str]:
        """Return ids of executions to look at, oldest first."""
        due_at = col(RecheckRow.next_attempt_at)
        is_due = has_come(due_at, now, longest=LONGEST_RECHECK_REST)
        wanted = (
            select(RecheckRow.execution_id)
            .where(is_due)
            .order_by(due_at, RecheckRow.execution_id)
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.exec(wanted))

    def last(self, execution_id: str) -> Recheck | None:
        """Return what came of the last look."""
        with self._database.reading() as session:
            row = session.get(RecheckRow, execution_id)
        if row is None:
            return None
        return Recheck(
            execution_id=row.execution_id,
            verdict=RecheckVerdict(row.verdict),
            checked_at=row.checked_at,
            attempts=row.attempts,
            next_attempt_at=row.next_attempt_at,
        )

    def note(self, recheck: Recheck) -> None:
        """Store what came of a look; it replaces the one before."""
        row = RecheckRow(
            execution_id=recheck.execution_id,
            verdict=recheck.verdict.value,
            checked_at=recheck.checked_at,
            attempts=recheck.attempts,
            next_attempt_at=recheck.next_attempt_at,
        )
        with self._database.writing() as session:
            status = session.exec(_status_of(recheck.execution_id).with_for_update()).one()
            if recheck.verdict is RecheckVerdict.FIXED and status in _TAKEN_BACK:
                # It began to be put back while we looked.
                row.next_attempt_at = recheck.checked_at
            session.merge(row)


def have_rechecked(
    connection: Connection, before: PlaybookExecution | None, after: PlaybookExecution
) -> None:
    """Have an execution looked at that completes, or is put back, in this transaction."""
    if before is not None and before.status is after.status:
        return
    if after.status is PlaybookStatus.COMPLETED:
        row = {
            "execution_id": after.execution_id,
            "verdict": RecheckVerdict.DUE.value,
            "checked_at": after.created_at,
            "attempts": 0,
            "next_attempt_at": after.ended_at or after.created_at,
        }
        connection.execute(insert_or_replace(connection, table_of(RecheckRow)), row)
    elif after.status is PlaybookStatus.ROLLING_BACK:
        fixed = and_(
            col(RecheckRow.execution_id) == after.execution_id,
            col(RecheckRow.verdict) == RecheckVerdict.FIXED.value,
        )
        due_at = after.started_at or after.created_at
        connection.execute(update(RecheckRow).where(fixed).values(next_attempt_at=due_at))


def _is_untold(now: datetime) -> ColumnElement[bool]:
    rested = has_come(col(RegressionRow.next_attempt_at), now, longest=LONGEST_REST)
    return and_(col(RegressionRow.told).is_(False), rested)


def _status_of(execution_id: str) -> SelectOfScalar[str]:
    return select(ExecutionRow.status).where(ExecutionRow.execution_id == execution_id)


class SqlRegressions:
    """Implements `remediation.aftercare.Regressions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def untold(self, now: datetime, limit: int = 20) -> list[int]:
        """Return the ids of those to be told, oldest first."""
        key = col(RegressionRow.regression_id)
        due = _is_untold(now)
        with self._database.reading() as session:
            return [each for each in session.exec(select(key).where(due).order_by(key).limit(limit)) if each]

    def begin(self, regression_id: int, now: datetime, *, next_attempt_at: datetime) -> Regression | None:
        """Count an attempt to tell it and return it; None where it was told, or somebody is at it."""
        untold = and_(col(RegressionRow.regression_id) == regression_id, _is_untold(now))
        counted = (
            update(RegressionRow)
            .where(untold)
            .values(attempts=RegressionRow.attempts + 1, next_attempt_at=next_attempt_at)
        )
        with self._database.writing() as session:
            if session.exec(counted.execution_options(synchronize_session=False)).rowcount != 1:
                return None
            row = session.get_one(RegressionRow, regression_id)
        return Regression(
            regression_id=regression_id,
            execution_id=row.execution_id,
            fingerprint=row.fingerprint,
            report_id=row.report_id,
            seen_at=row.seen_at,
            attempts=row.attempts,
        )

    def put_off(self, regression_id: int, *, until: datetime) -> None:
        """Let it wait until a time."""
        named = col(RegressionRow.regression_id) == regression_id
        with self._database.writing() as session:
            session.exec(update(RegressionRow).where(named).values(next_attempt_at=until))

    def told(self, regression_id: int) -> None:
        """Note that it was told."""
        named = col(RegressionRow.regression_id) == regression_id
        with self._database.writing() as session:
            session.exec(update(RegressionRow).where(named).values(told=True))
