"""Fires as rows, and what is asked of a schedule's fires however many there are."""

from dataclasses import asdict

from sqlalchemy import ColumnElement, and_, tuple_
from sqlmodel import Session, col, select

from audit.actor import Actor
from exporters.schedules import Fire, FireState, Outage
from storage.columns import column_text
from storage.schedule_tables import FireRow

_NEWEST_FIRST = (col(FireRow.due_at).desc(), col(FireRow.fire_id).desc())
_OLDEST_FIRST = (col(FireRow.due_at), col(FireRow.fire_id))


def find_outage(session: Session, schedule_id: str) -> Outage | None:
    """Return since when a schedule has sent nothing; see `ScheduleStore.outage`."""
    unsent = _of(schedule_id)
    if sent := find_newest(session, schedule_id, col(FireRow.state) == FireState.SENT.value):
        unsent = and_(unsent, tuple_(*_OLDEST_FIRST) > (sent.due_at, sent.fire_id))
    first = session.exec(select(FireRow).where(unsent).order_by(*_OLDEST_FIRST).limit(1)).first()
    newest = find_newest(session, schedule_id, unsent)
    if first is None or newest is None:
        return None
    failed = find_newest(session, schedule_id, and_(unsent, col(FireRow.error) != ""))
    return Outage(first=to_fire(first), newest=newest, error=failed.error if failed else "")


def find_newest(session: Session, schedule_id: str, wanted: ColumnElement[bool]) -> Fire | None:
    """Return the newest of a schedule's fires for which something holds."""
    found = select(FireRow).where(_of(schedule_id), wanted).order_by(*_NEWEST_FIRST).limit(1)
    row = session.exec(found).first()
    return to_fire(row) if row else None


def _of(schedule_id: str) -> ColumnElement[bool]:
    return col(FireRow.schedule_id) == schedule_id


def to_fire_row(fire: Fire) -> FireRow:
    """Return a fire as it is stored."""
    columns = asdict(fire) | {
        "state": fire.state.value,
        "parts": list(fire.parts),
        "error": column_text(fire.error),
        "asked_by": fire.asked_by.to_dict() if fire.asked_by else None,
    }
    return FireRow(**columns)


def to_fire(row: FireRow) -> Fire:
    """Return a stored fire."""
    plain = row.model_dump(exclude={"state", "parts", "asked_by"})
    return Fire(
        **plain,
        state=FireState(row.state),
        parts=tuple(row.parts),
        asked_by=Actor(**row.asked_by) if row.asked_by else None,
    )
