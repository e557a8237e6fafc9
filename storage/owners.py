"""Which processes are alive, as far as the database can tell: what each said last."""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, select, union

from audit.errors import StateError
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from storage.batch_tables import BatchReturnRow
from storage.tables import ExecutionRow, OwnerRow, table_of

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
