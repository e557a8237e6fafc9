"""Which processes are alive, as far as the database can tell: what each said last."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, union

from audit.errors import StateError
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from storage.batch_tables import BatchReturnRow
from storage.database import Database
from storage.tables import ExecutionRow, OwnerRow, table_of

FORGOTTEN_AFTER: Final = timedelta(days=30)
_OWNERS: Final = table_of(OwnerRow).c
_EXECUTIONS: Final = table_of(ExecutionRow).c
_RUNNING: Final = _EXECUTIONS.status.in_([PlaybookStatus.RUNNING.value, PlaybookStatus.ROLLING_BACK.value])
_RUNS: Final = select(_EXECUTIONS.body["owner"].as_string()).where(_RUNNING)
_AT_WORK: Final = union(_RUNS, select(table_of(BatchReturnRow).c.owner))
HEARD: Final = select(_OWNERS.owner_id, _OWNERS.seen_at).where(_OWNERS.owner_id.in_(_AT_WORK))
"""What those who have something under way said last."""


def heard_of(now: datetime) -> ColumnElement[bool]:
    """Return what holds for an owner heard of around now. What was said at a time far ahead was said by a clock that was wrong."""
    return and_(_OWNERS.seen_at > now - OWNER_LOST_AFTER, _OWNERS.seen_at < now + OWNER_LOST_AFTER)


def refuse_heard_since(connection: Connection, owner: str, last_heard: datetime | None) -> None:
    """Refuse to replace an owner that has said anything since; until the transaction ends it can say nothing.

    Raises:
        StateError: it has.
    """
    said = select(_OWNERS.seen_at).where(_OWNERS.owner_id == owner).with_for_update()
    if connection.execute(said).scalar() != last_heard:
        raise StateError(f"{owner} is alive, and keeps what it works on")


class SqlOwners:
    """Forgets processes that are long gone. Each start of a program has a name of its own, so their rows would only grow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def long_silent(self, now: datetime) -> Mapping[str, datetime]:
        """Return what those said last who have nothing under way and were not heard of around now, by clocks on walls.

        Whether one of them lives all the same says `remediation.watch`: a clock that was set forward makes everybody look silent.
        """
        is_silent = or_(_OWNERS.seen_at < now - FORGOTTEN_AFTER, _OWNERS.seen_at > now + FORGOTTEN_AFTER)
        found = select(_OWNERS.owner_id, _OWNERS.seen_at).where(is_silent, _OWNERS.owner_id.not_in(_AT_WORK))
        with self._database.reading() as session:
            return {row.owner_id: row.seen_at for row in session.connection().execute(found)}

    def forget(self, owner: str, last_heard: datetime) -> None:
        """Forget one that has said nothing since and has nothing under way; else it stays.

        An owner without a row is one that never spoke, and loses what it runs at once: so both are looked at in the same statement.
        """
        is_gone = and_(
            _OWNERS.owner_id == owner, _OWNERS.seen_at == last_heard, _OWNERS.owner_id.not_in(_AT_WORK)
        )
        with self._database.writing() as session:
            session.connection().execute(delete(table_of(OwnerRow)).where(is_gone))
