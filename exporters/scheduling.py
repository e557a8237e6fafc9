"""The use case behind `/schedule`, `countersign schedule` and `EmailScheduler`: make schedules, change them, claim what is due."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from audit.actor import WORKER, Actor
from audit.errors import InputError, StateError
from audit.trail import TrailEvent
from exporters.cadence import Cadence, Slot
from exporters.ports import ScheduleStore
from exporters.schedules import AHEAD, DEFAULT_FORMAT, Fire, Schedule, ScheduleKind, fire_of
from exporters.text import clip, encodable, one_line

MOST_MISSED = 10_000  # counted; beyond it the number says “or more”
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BY_HAND = "by hand"
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be sent, and when; see `Schedule`."""

    schedule_id: str
    cadence: Cadence
    kind: ScheduleKind = ScheduleKind.DIGEST
    channel: str = ""
    recipients: tuple[str, ...] = ()
    format: str = DEFAULT_FORMAT
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """Makes and changes schedules. `clock` returns aware UTC."""

    store: ScheduleStore
    clock: Callable[[], datetime]

    def add(self, wish: Wish, actor: Actor) -> Schedule:
        """Make a schedule; the same wish once more is the schedule that is there.

        Raises:
            InputError: its name cannot be used, or it would send nothing anywhere.
            StateError: there is another one of that name.
        """
        now = self.clock()
        schedule = _schedule(wish, actor, now)
        event = _event("schedule.created", schedule, actor=actor, now=now, detail=_told(schedule))
        try:
            self.store.add(schedule, event)
        except StateError:
            stored = self.store.get(wish.schedule_id)
            if _wish_of(stored) != wish:
                raise
            return stored
        return schedule

    def put(self, wish: Wish, actor: Actor) -> Schedule:
        """Make a schedule, or put another wish in its place; one that is paused stays paused.

        Raises:
            InputError: its name cannot be used, or it would send nothing anywhere.
            StateError: it has changed meanwhile.
        """
        try:
            return self.add(wish, actor)
        except StateError:
            stored = self.store.get(wish.schedule_id)
        now = self.clock()
        wished = _schedule(wish, stored.owner, now)
        after = replace(
            wished, created_at=stored.created_at, paused_because=stored.paused_because, rev=stored.rev
        )
        event = _event("schedule.changed", after, actor=actor, now=now, detail=_told(after))
        return self.store.save(stored, after, event)

    def pause(self, schedule_id: str, actor: Actor, *, because: str = _BY_HAND) -> Schedule:
        """Let nothing be due any more until it is resumed; one that is paused stays as it is.

        Raises:
            NotFoundError: there is none of that name.
            StateError: it has changed meanwhile.
        """
        schedule = self.store.get(schedule_id)
        if not schedule.is_active:
            return schedule
        reason = clip(one_line(encodable(because)), _LONGEST_REASON) or _BY_HAND
        event = _event("schedule.paused", schedule, actor=actor, now=self.clock(), detail={"because": reason})
        return self.store.save(schedule, replace(schedule, paused_because=reason), event)

    def resume(self, schedule_id: str, actor: Actor) -> Schedule:
        """Let it be due again, from now on: what it has not sent while it was paused stays unsent.

        Raises:
            NotFoundError: there is none of that name.
            StateError: it has changed meanwhile.
        """
        schedule, now = self.store.get(schedule_id), self.clock()
        if schedule.is_active:
            return schedule
        after = replace(
            schedule,
            paused_because="",
            failures=0,
            watermark=now,
            next_at=schedule.cadence.next_after(now).at,
        )
        return self.store.save(schedule, after, _event("schedule.resumed", schedule, actor=actor, now=now))

    def remove(self, schedule_id: str, actor: Actor) -> Schedule:
        """Forget a schedule; return what it was.

        Raises:
            NotFoundError: there is none of that name.
            StateError: it has changed meanwhile.
        """
        schedule = self.store.get(schedule_id)
        event = _event("schedule.removed", schedule, actor=actor, now=self.clock(), detail=_told(schedule))
        self.store.remove(schedule, event)
        return schedule

    def run_now(self, schedule_id: str, actor: Actor, *, key: str) -> Fire:
        """Have it sent once now, whatever its times are; the same `key` again is the same sending.

        Raises:
            NotFoundError: there is none of that name.
        """
        schedule, now = self.store.get(schedule_id), self.clock()
        slot = Slot(now, f"now {key}")
        fire = replace(fire_of(schedule, slot, missed=0, now=now), asked_by=actor)
        detail = {"fire": fire.fire_id, "slot": fire.slot, "missed": 0}
        self.store.ask(fire, _event("schedule.fired", schedule, actor=actor, now=now, detail=detail))
        return self.store.fire(fire.fire_id)

    def claim_due(self) -> list[str]:
        """Claim what is due and nobody has claimed; return the fires that are ours.

        Where nobody was there for several slots the latest one is sent, once, and says how many were missed.
        """
        now = self.clock()
        claimed = (self._claim(schedule, now) for schedule in self.store.due(now))
        return [fire_id for fire_id in claimed if fire_id]

    def _claim(self, schedule: Schedule, now: datetime) -> str:
        past = takewhile(lambda slot: slot.at <= now, schedule.cadence.after(schedule.watermark))
        slots = list(islice(past, MOST_MISSED + 1))
        if not slots:  # the machine's clock went back
            self._wind_back(schedule, now)
            return ""
        latest = slots[-1] if len(slots) <= MOST_MISSED else _latest(schedule.cadence, now)
        fire = fire_of(schedule, latest, missed=len(slots) - 1, now=now)
        after = replace(schedule, watermark=latest.at, next_at=schedule.cadence.next_after(latest.at).at)
        detail = {"fire": fire.fire_id, "slot": fire.slot, "missed": fire.missed}
        event = _event("schedule.fired", schedule, actor=WORKER, now=now, detail=detail)
        return fire.fire_id if self.store.claim(schedule, after, fire, event) else ""

    def _wind_back(self, schedule: Schedule, now: datetime) -> None:
        """Have a schedule go on from now whose slots were dealt with ahead of time; what was sent for one stays sent."""
        if schedule.watermark <= now + AHEAD:
            return
        after = replace(schedule, watermark=now, next_at=schedule.cadence.next_after(now).at)
        detail: dict[str, object] = {"from": schedule.watermark.isoformat()}
        with suppress(StateError):  # another process was faster
            self.store.save(
                schedule,
                after,
                _event("schedule.wound_back", schedule, actor=WORKER, now=now, detail=detail),
            )


def _latest(cadence: Cadence, now: datetime) -> Slot:
    """Return the last slot before now, of a schedule with so many that an hour holds some."""
    back = timedelta(hours=1)
    while True:
        found = list(takewhile(lambda slot: slot.at <= now, cadence.after(now - back)))
        if found:
            return found[-1]
        back *= 4


def _schedule(wish: Wish, actor: Actor, now: datetime) -> Schedule:
    if not _NAME.fullmatch(wish.schedule_id):
        raise InputError("A schedule's name has 1 to 64 letters, digits, dots, dashes and underscores.")
    if not (wish.channel or wish.recipients or wish.kind is ScheduleKind.PULL):
        raise InputError("Say where it goes: a channel, or addresses.")
    return Schedule(
        schedule_id=wish.schedule_id,
        cadence=wish.cadence,
        owner=actor,
        created_at=now,
        watermark=now,
        next_at=wish.cadence.next_after(now).at,
        kind=wish.kind,
        channel=wish.channel,
        recipients=wish.recipients,
        format=wish.format,
        source=wish.source,
    )


def _wish_of(schedule: Schedule) -> Wish:
    return Wish(
        schedule_id=schedule.schedule_id,
        cadence=schedule.cadence,
        kind=schedule.kind,
        channel=schedule.channel,
        recipients=schedule.recipients,
        format=schedule.format,
        source=schedule.source,
    )


def _told(schedule: Schedule) -> dict[str, object]:
    """Return what the trail says about a schedule."""
    return {
        "kind": schedule.kind.value,
        "cron": schedule.cadence.cron,
        "zone": schedule.cadence.zone,
        "channel": schedule.channel,
        "recipients": list(schedule.recipients),
        "format": schedule.format,
        "source": schedule.source,
    }


def _event(
    kind: str, schedule: Schedule, *, actor: Actor, now: datetime, detail: dict[str, object] | None = None
) -> TrailEvent:
    return TrailEvent(kind=kind, actor=actor, at=now, subject=schedule.schedule_id, detail=detail or {})
