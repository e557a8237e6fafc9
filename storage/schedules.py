"""Schedules in the database: each time one is due, exactly one process gets to send it."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from audit.actor import Actor
from audit.errors import NotFoundError, StateError
from audit.trail import TrailEvent
from exporters.cadence import Cadence
from exporters.schedules import AHEAD, LONGEST_REST, Fire, FireState, Outage, Schedule, ScheduleKind
from storage.columns import column_text
from storage.database import Database
from storage.fires import find_newest, find_outage, to_fire, to_fire_row
from storage.inserting import insert_into
from storage.schedule_tables import FireRow, ScheduleRow
from storage.trail import append_in
from storage.waiting import has_come

_CHANGES = {"state", "not_before", "parts", "error", "excused", "to_mend"}
_STATES = [state.value for state in FireState]  # named, so that the index is of use


class SqlSchedules:
    """Implements `exporters.ports.ScheduleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, schedule: Schedule, event: TrailEvent) -> None:
        """Store a new schedule; see `ScheduleStore.add`."""
        try:
            with self._database.writing() as session:
                session.add(_to_row(schedule))
                session.flush()
                append_in(session, event)
        except IntegrityError:
            raise StateError(f"there is a schedule {schedule.schedule_id} already") from None

    def get(self, schedule_id: str) -> Schedule:
        """Return a schedule; see `ScheduleStore.get`."""
        with self._database.reading() as session:
            row = session.get(ScheduleRow, column_text(schedule_id))
        if row is None:
            raise NotFoundError(f"there is no schedule {schedule_id}")
        return _to_schedule(row)

    def all(self, *, limit: int | None = None, offset: int = 0) -> list[Schedule]:
        """Return all schedules, by when they were made; see `ScheduleStore.all`."""
        in_order = select(ScheduleRow).order_by(col(ScheduleRow.created_at), col(ScheduleRow.schedule_id))
        with self._database.reading() as session:
            return [_to_schedule(row) for row in session.exec(in_order.limit(limit).offset(offset))]

    def save(self, before: Schedule, after: Schedule, event: TrailEvent) -> Schedule:
        """Store what changed; see `ScheduleStore.save`."""
        columns = _to_row(after).model_dump(exclude={"schedule_id", "rev"})
        with self._database.writing() as session:
            changed = update(ScheduleRow).where(_is_unchanged(before))
            if session.exec(changed.values(**columns, rev=before.rev + 1)).rowcount != 1:
                raise _changed(before)
            append_in(session, event)
        return self.get(before.schedule_id)

    def remove(self, schedule: Schedule, event: TrailEvent) -> None:
        """Forget a schedule and its fires; see `ScheduleStore.remove`."""
        with self._database.writing() as session:
            session.exec(delete(FireRow).where(col(FireRow.schedule_id) == schedule.schedule_id))
            if session.exec(delete(ScheduleRow).where(_is_unchanged(schedule))).rowcount != 1:
                raise _changed(schedule)
            append_in(session, event)

    def due(self, now: datetime) -> list[Schedule]:
        """Return active schedules whose next slot has come, or whose times are ahead; see `ScheduleStore.due`."""
        is_time = or_(col(ScheduleRow.next_at) <= now, col(ScheduleRow.watermark) > now + AHEAD)
        is_due = and_(is_time, col(ScheduleRow.paused_because) == "")
        with self._database.reading() as session:
            rows = session.exec(select(ScheduleRow).where(is_due).order_by(col(ScheduleRow.next_at)))
            return [_to_schedule(row) for row in rows]

    def claim(self, before: Schedule, after: Schedule, fire: Fire, event: TrailEvent) -> bool:
        """Move the watermark on and store the fire; see `ScheduleStore.claim`."""
        moved = (
            update(ScheduleRow)
            .where(_is_unchanged(before), col(ScheduleRow.paused_because) == "")
            .values(watermark=after.watermark, next_at=after.next_at)
        )
        with self._database.writing() as session:
            if session.exec(moved).rowcount != 1:
                return False
            # A slot that was sent before (the machine's clock went back) stays sent; the watermark moves on.
            return _insert(session, fire, event)

    def ask(self, fire: Fire, event: TrailEvent) -> bool:
        """Store a fire that somebody asked for; see `ScheduleStore.ask`."""
        with self._database.writing() as session:
            if session.get(ScheduleRow, fire.schedule_id) is None:
                raise NotFoundError(f"there is no schedule {fire.schedule_id}")
            return _insert(session, fire, event)

    def waiting(self, now: datetime) -> list[str]:
        """Return the ids of fires that somebody has to attempt now, the longest due first."""
        wanted = select(FireRow.fire_id).where(_can_begin(now))
        with self._database.reading() as session:
            return list(session.exec(wanted.order_by(col(FireRow.not_before), col(FireRow.fire_id))))

    def begin(self, fire_id: str, now: datetime, *, until: datetime) -> Fire | None:
        """Count an attempt and hold the fire; see `ScheduleStore.begin`."""
        this_one = update(FireRow).where(col(FireRow.fire_id) == fire_id, _can_begin(now))
        begun = this_one.values(attempts=col(FireRow.attempts) + 1, not_before=until)
        with self._database.writing() as session:
            if session.exec(begun).rowcount != 1:
                return None
            row = session.get(FireRow, fire_id)
            return to_fire(row) if row else None

    def fire(self, fire_id: str) -> Fire:
        """Return a fire; see `ScheduleStore.fire`."""
        with self._database.reading() as session:
            row = session.get(FireRow, column_text(fire_id))
        if row is None:
            raise NotFoundError(f"there is no fire {fire_id}")
        return to_fire(row)

    def fires(self, schedule_id: str, limit: int = 10) -> list[Fire]:
        """Return a schedule's fires, newest first."""
        newest = select(FireRow).where(FireRow.schedule_id == schedule_id).limit(limit)
        with self._database.reading() as session:
            rows = session.exec(newest.order_by(col(FireRow.due_at).desc(), col(FireRow.fire_id).desc()))
            return [to_fire(row) for row in rows]

    def troubled(self, since: datetime) -> list[Fire]:
        """Return the fires with an error that were attempted since; see `ScheduleStore.troubled`."""
        attempted = and_(col(FireRow.state).in_(_STATES), col(FireRow.not_before) > since)
        found = select(FireRow).where(attempted, col(FireRow.error) != "")
        with self._database.reading() as session:
            rows = session.exec(found.order_by(col(FireRow.not_before), col(FireRow.fire_id)))
            return [to_fire(row) for row in rows]

    def outage(self, schedule_id: str) -> Outage | None:
        """Return since when a schedule has sent nothing; see `ScheduleStore.outage`."""
        with self._database.reading() as session:
            return find_outage(session, schedule_id)

    def last_failed(self, schedule_id: str) -> Fire | None:
        """Return the newest that came to nothing; see `ScheduleStore.last_failed`."""
        with self._database.reading() as session:
            return find_newest(session, schedule_id, col(FireRow.state) == FireState.FAILED.value)

    def note(self, fire: Fire) -> None:
        """Store what became of an attempt so far; see `ScheduleStore.note`."""
        with self._database.writing() as session:
            _write(session, fire)

    def settle(self, fire: Fire, event: TrailEvent) -> Schedule:
        """Store the outcome; see `ScheduleStore.settle`."""
        failures = {
            FireState.FAILED: col(ScheduleRow.failures) + 1,
            FireState.OVERTAKEN: col(ScheduleRow.failures),
        }.get(fire.state, 0)
        with self._database.writing() as session:
            _write(session, fire)
            of_it = update(ScheduleRow).where(col(ScheduleRow.schedule_id) == fire.schedule_id)
            session.exec(of_it.values(failures=failures))
            append_in(session, event)
        return self.get(fire.schedule_id)


def _insert(session: Session, fire: Fire, event: TrailEvent) -> bool:
    """Store a fire with its trail entry unless its slot has one.

    RETURNING says whether it was stored: `rowcount` of such an INSERT means nothing with psycopg.
    """
    values = to_fire_row(fire).model_dump()
    written = insert_into(session, FireRow).values(**values).on_conflict_do_nothing()
    if session.connection().execute(written.returning(FireRow.__table__.c.fire_id)).first() is None:  # type: ignore[attr-defined]
        return False
    append_in(session, event)
    return True


def _write(session: Session, fire: Fire) -> None:
    """Store a fire whose attempt is still ours."""
    is_ours = and_(
        col(FireRow.fire_id) == fire.fire_id,
        col(FireRow.attempts) == fire.attempts,
        col(FireRow.state) == FireState.WAITING.value,
    )
    columns = to_fire_row(fire).model_dump(include=_CHANGES)
    if session.exec(update(FireRow).where(is_ours).values(**columns)).rowcount != 1:
        raise StateError(f"{fire.fire_id} was taken over meanwhile")


def _is_unchanged(seen: Schedule) -> ColumnElement[bool]:
    return and_(
        col(ScheduleRow.schedule_id) == seen.schedule_id,
        col(ScheduleRow.rev) == seen.rev,
        col(ScheduleRow.watermark) == seen.watermark,
    )


def _changed(seen: Schedule) -> StateError:
    return StateError(f"schedule {seen.schedule_id} has changed meanwhile; look at it again")


def _can_begin(now: datetime) -> ColumnElement[bool]:
    is_time = has_come(col(FireRow.not_before), now, longest=LONGEST_REST)
    return and_(col(FireRow.state) == FireState.WAITING.value, is_time)


def _to_row(schedule: Schedule) -> ScheduleRow:
    return ScheduleRow(
        schedule_id=column_text(schedule.schedule_id),
        kind=schedule.kind.value,
        cron=schedule.cadence.cron,
        zone=schedule.cadence.zone,
        channel=column_text(schedule.channel),
        recipients=list(schedule.recipients),
        format=column_text(schedule.format),
        source=column_text(schedule.source),
        owner=schedule.owner.to_dict(),
        created_at=schedule.created_at,
        watermark=schedule.watermark,
        next_at=schedule.next_at,
        paused_because=column_text(schedule.paused_because),
        failures=schedule.failures,
        rev=schedule.rev,
    )


def _to_schedule(row: ScheduleRow) -> Schedule:
    plain = row.model_dump(exclude={"cron", "zone", "kind", "owner", "recipients"})
    return Schedule(
        **plain,
        kind=ScheduleKind(row.kind),
        cadence=Cadence(cron=row.cron, zone=row.zone),
        owner=Actor(**row.owner),
        recipients=tuple(row.recipients),
    )
