"""Schedules that last as long as the process: what `EmailScheduler` keeps them in unless it is given a database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from operator import attrgetter
from threading import RLock

from audit.errors import NotFoundError, StateError
from audit.trail import TrailEvent
from audit.waiting import has_come
from exporters.schedules import AHEAD, LONGEST_REST, Fire, FireState, Outage, Schedule

Record = Callable[[TrailEvent], object]


class MemorySchedules:
    """Implements `exporters.ports.ScheduleStore`. Threads may share it.

    Args:
        record: takes the trail entries; where it raises nothing is changed.
    """

    def __init__(self, record: Record = lambda _event: None) -> None:
        self._record = record
        self._schedules: dict[str, Schedule] = {}
        self._fires: dict[str, Fire] = {}
        self._lock = RLock()

    def add(self, schedule: Schedule, event: TrailEvent) -> None:
        """Store a new schedule; see `ScheduleStore.add`."""
        with self._lock:
            if schedule.schedule_id in self._schedules:
                raise StateError(f"there is a schedule {schedule.schedule_id} already")
            self._record(event)
            self._schedules[schedule.schedule_id] = schedule

    def get(self, schedule_id: str) -> Schedule:
        """Return a schedule; see `ScheduleStore.get`."""
        with self._lock:
            if found := self._schedules.get(schedule_id):
                return found
        raise NotFoundError(f"there is no schedule {schedule_id}")

    def all(self, *, limit: int | None = None, offset: int = 0) -> list[Schedule]:
        """Return all schedules, by when they were made; see `ScheduleStore.all`."""
        with self._lock:
            in_order = sorted(self._schedules.values(), key=attrgetter("created_at", "schedule_id"))
        return in_order[offset:][:limit]

    def save(self, before: Schedule, after: Schedule, event: TrailEvent) -> Schedule:
        """Store what changed; see `ScheduleStore.save`."""
        with self._lock:
            self._require_unchanged(before)
            self._record(event)
            saved = replace(after, rev=before.rev + 1)
            self._schedules[before.schedule_id] = saved
            return saved

    def remove(self, schedule: Schedule, event: TrailEvent) -> None:
        """Forget a schedule and its fires; see `ScheduleStore.remove`."""
        with self._lock:
            self._require_unchanged(schedule)
            self._record(event)
            del self._schedules[schedule.schedule_id]
            for fire in self._of(schedule.schedule_id):
                del self._fires[fire.fire_id]

    def due(self, now: datetime) -> list[Schedule]:
        """Return active schedules whose next slot has come, or whose times are ahead; see `ScheduleStore.due`."""
        active = [schedule for schedule in self.all() if schedule.is_active]
        return [each for each in active if each.next_at <= now or each.watermark > now + AHEAD]

    def claim(self, before: Schedule, after: Schedule, fire: Fire, event: TrailEvent) -> bool:
        """Move the watermark on and store the fire; see `ScheduleStore.claim`."""
        with self._lock:
            if not self._is_unchanged(before) or not before.is_active:
                return False
            moved = replace(
                self._schedules[before.schedule_id], watermark=after.watermark, next_at=after.next_at
            )
            if self._has(fire):
                self._schedules[before.schedule_id] = moved
                return False
            self._record(event)
            self._schedules[before.schedule_id] = moved
            self._fires[fire.fire_id] = fire
            return True

    def ask(self, fire: Fire, event: TrailEvent) -> bool:
        """Store a fire that somebody asked for; see `ScheduleStore.ask`."""
        with self._lock:
            self.get(fire.schedule_id)
            if self._has(fire):
                return False
            self._record(event)
            self._fires[fire.fire_id] = fire
            return True

    def waiting(self, now: datetime) -> list[str]:
        """Return the ids of fires that somebody has to attempt now, the longest due first."""
        with self._lock:
            found = [fire for fire in self._fires.values() if _can_begin(fire, now)]
        return [fire.fire_id for fire in sorted(found, key=attrgetter("not_before", "fire_id"))]

    def begin(self, fire_id: str, now: datetime, *, until: datetime) -> Fire | None:
        """Count an attempt and hold the fire; see `ScheduleStore.begin`."""
        with self._lock:
            fire = self._fires.get(fire_id)
            if fire is None or not _can_begin(fire, now):
                return None
            begun = replace(fire, attempts=fire.attempts + 1, not_before=until)
            self._fires[fire_id] = begun
            return begun

    def fire(self, fire_id: str) -> Fire:
        """Return a fire; see `ScheduleStore.fire`."""
        with self._lock:
            if found := self._fires.get(fire_id):
                return found
        raise NotFoundError(f"there is no fire {fire_id}")

    def fires(self, schedule_id: str, limit: int | None = 10) -> list[Fire]:
        """Return a schedule's fires, newest first."""
        with self._lock:
            return sorted(self._of(schedule_id), key=attrgetter("due_at", "fire_id"), reverse=True)[:limit]

    def troubled(self, since: datetime) -> list[Fire]:
        """Return the fires with an error that were attempted since; see `ScheduleStore.troubled`."""
        with self._lock:
            found = [fire for fire in self._fires.values() if fire.error and fire.not_before > since]
        return sorted(found, key=attrgetter("not_before", "fire_id"))

    def outage(self, schedule_id: str) -> Outage | None:
        """Return since when a schedule has sent nothing; see `ScheduleStore.outage`."""
        fires = self.fires(schedule_id, limit=None)
        unsent = list(takewhile(lambda each: each.state is not FireState.SENT, fires))
        if not unsent:
            return None
        error = next((each.error for each in unsent if each.error), "")
        return Outage(first=unsent[-1], newest=unsent[0], error=error)

    def last_failed(self, schedule_id: str) -> Fire | None:
        """Return the newest that came to nothing; see `ScheduleStore.last_failed`."""
        fires = self.fires(schedule_id, limit=None)
        return next((each for each in fires if each.state is FireState.FAILED), None)

    def note(self, fire: Fire) -> None:
        """Store what became of an attempt so far; see `ScheduleStore.note`."""
        with self._lock:
            self._require_held(fire)
            self._fires[fire.fire_id] = fire

    def settle(self, fire: Fire, event: TrailEvent) -> Schedule:
        """Store the outcome; see `ScheduleStore.settle`."""
        with self._lock:
            self._require_held(fire)
            self._record(event)
            self._fires[fire.fire_id] = fire
            schedule = self._schedules[fire.schedule_id]
            failures = {
                FireState.FAILED: schedule.failures + 1,
                FireState.OVERTAKEN: schedule.failures,
            }.get(fire.state, 0)
            self._schedules[fire.schedule_id] = replace(schedule, failures=failures)
            return self._schedules[fire.schedule_id]

    def _of(self, schedule_id: str) -> list[Fire]:
        return [fire for fire in self._fires.values() if fire.schedule_id == schedule_id]

    def _has(self, fire: Fire) -> bool:
        return any(other.slot == fire.slot for other in self._of(fire.schedule_id))

    def _is_unchanged(self, seen: Schedule) -> bool:
        stored = self._schedules.get(seen.schedule_id)
        return stored is not None and (stored.rev, stored.watermark) == (seen.rev, seen.watermark)

    def _require_unchanged(self, seen: Schedule) -> None:
        if not self._is_unchanged(seen):
            raise StateError(f"schedule {seen.schedule_id} has changed meanwhile; look at it again")

    def _require_held(self, fire: Fire) -> None:
        stored = self._fires.get(fire.fire_id)
        if stored is None or stored.attempts != fire.attempts or stored.state is not FireState.WAITING:
            raise StateError(f"{fire.fire_id} was taken over meanwhile")


def _can_begin(fire: Fire, now: datetime) -> bool:
    return fire.state is FireState.WAITING and has_come(fire.not_before, now, longest=LONGEST_REST)
