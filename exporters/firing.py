"""A fire, from claimed to sent: part by part, each once and none waiting for another; tried again with growing pauses.

Where what it needs gives no answer it is tried until the next one is due, and nothing counts against it. What a person has to mend is
tried a few times, and pauses its schedule when that came to nothing time and again. The stored fire says how it fares, and
people are told from there. What was begun by a process that died is begun again by another when its lease is over, which `Fire.attempts` shows: a part that
may have been sent already looks for itself before it is sent again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from audit.actor import WORKER
from audit.errors import (
    CountersignError,
    InputError,
    NotFoundError,
    StateError,
    TemporaryActionError,
    UnavailableError,
)
from audit.trail import TrailEvent
from exporters.keeping import keeping
from exporters.ports import ScheduleStore
from exporters.schedules import Fire, FireState, Schedule
from exporters.scheduling import Scheduling
from exporters.text import clip, encodable, one_line

log = structlog.get_logger()
LEASE = timedelta(minutes=2)  # renewed before each part, and while one is being done
KEEP_EVERY_S = 20.0  # several may fail before the lease is over
MOST_ATTEMPTS = 5
MOST_FAILURES = 3  # fires in a row that came to nothing, after which a schedule is paused
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=8)
_WITHOUT_NEXT = timedelta(days=1)  # tried for so long where no other will be due
_GRACE = timedelta(
    minutes=15
)  # for a process that can, where this one cannot; and for one that was claimed and not begun
_LONGEST_ERROR = 500
_PASSING = (UnavailableError, TemporaryActionError)


@dataclass(frozen=True, slots=True)
class Part:
    """Something to be sent or fetched: its name, one word, and what does it.

    `send` raises CountersignError where it was not done, UnavailableError where that passes by itself. It is given the fire: from
    its second attempt on, it may have been. What it returns is kept beside its name for the parts behind it. While it takes its
    time, nobody else begins the fire.

    It is not begun before the part that it comes `after` is done. What one that `complains` returns is whom it did not reach.
    """

    name: str
    send: Callable[[Fire], str | None]
    after: str = ""
    complains: bool = False


class Sender(Protocol):
    """Knows what a kind of schedule sends."""

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether this process has what it takes."""

    def parts(self, schedule: Schedule, fire: Fire) -> list[Part]:
        """Return what is to be sent, in order.

        Raises:
            CountersignError: it cannot be made up.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """Attempts fires. `senders` by the kind of schedule they know."""

    store: ScheduleStore
    clock: Callable[[], datetime]
    senders: Mapping[str, Sender]
    keep_every_s: float = KEEP_EVERY_S

    def fire(self, fire_id: str) -> None:
        """Attempt a fire; one that is done, held by somebody else or not due is left alone.

        Raises:
            TrailError: what came of it cannot be recorded; it is attempted again later.
        """
        try:
            schedule = self.store.get(self.store.fire(fire_id).schedule_id)
        except NotFoundError:  # removed meanwhile
            return
        if not self._may_begin(schedule, fire_id):
            return
        fire = self.store.begin(fire_id, self.clock(), until=self.clock() + LEASE)
        if fire is None:
            return
        with structlog.contextvars.bound_contextvars(schedule=schedule.schedule_id, fire=fire_id):
            try:
                if self._is_overtaken(schedule, fire):
                    self._overtake(schedule, fire)
                else:
                    self._attempt(schedule, fire)
            except (StateError, NotFoundError) as error:  # another process has it, or nobody any more
                log.warning("fire was taken away", error=str(error))

    def _may_begin(self, schedule: Schedule, fire_id: str) -> bool:
        """Tell whether this process can send it, or nobody else has for so long that its owner has to be told."""
        fire = self.store.fire(fire_id)
        return self._can_send(schedule) or self.clock() >= fire.due_at + _GRACE

    def _can_send(self, schedule: Schedule) -> bool:
        sender = self.senders.get(schedule.kind)
        return sender is not None and sender.can_send(schedule)

    def _is_overtaken(self, schedule: Schedule, fire: Fire) -> bool:
        """Tell whether the next one has come before this one was sent: that one is sent, and says what it stands for."""
        if fire.attempts == 1 and self.clock() < fire.due_at + _GRACE:
            return False
        if schedule.is_active and fire.due_at < schedule.next_at <= self.clock():
            return True
        newer = (each for each in self.store.fires(schedule.schedule_id) if each.due_at > fire.due_at)
        return any(each.asked_by is None for each in newer)

    def _overtake(self, schedule: Schedule, fire: Fire) -> None:
        why = f"{fire.error} The next one is due.".strip()
        if fire.to_mend:
            self._end(schedule, replace(fire, error=why))
        else:
            self._settle(replace(fire, state=FireState.OVERTAKEN, error=why), "schedule.overtaken")
            log.warning("fire overtaken by the next", error=why, attempts=fire.attempts)

    def _attempt(self, schedule: Schedule, fire: Fire) -> None:
        if fire.counted > MOST_ATTEMPTS:  # each of them ended its process
            self._fail(schedule, fire, [InputError("each attempt was cut off")])
            return
        try:
            fire, errors = self._send(schedule, fire)
        except StateError:
            raise
        except CountersignError as error:  # it cannot be made up, or noted: what was sent before stays sent
            fire, errors = replace(fire, parts=self.store.fire(fire.fire_id).parts), [error]
        if errors:
            self._fail(schedule, fire, errors)
            return
        self._settle(replace(fire, state=FireState.SENT, to_mend=False), "schedule.sent")
        log.info("fire sent", parts=fire.parts, missed=fire.missed, error=fire.error)

    def _send(self, schedule: Schedule, fire: Fire) -> tuple[Fire, list[CountersignError]]:
        """Send every part that can be sent; return what was done, and what stood in the way of the others."""
        if not self._can_send(schedule):
            raise InputError("no running process has what makes up this report: start the program that does")
        parts, errors = self.senders[schedule.kind].parts(schedule, fire), []
        for part in parts:
            if fire.is_done(part.name) or (part.after and not fire.is_done(part.after)):
                continue
            fire = replace(fire, not_before=self.clock() + LEASE)
            self.store.note(fire)  # still ours: whoever was taken over stops here, before it sends anything
            try:
                with keeping(partial(self._keep, fire), every_s=self.keep_every_s):
                    brought = part.send(fire)
            except StateError:
                raise
            except CountersignError as error:
                errors.append(error)
                continue
            fire = replace(fire.having_done(part.name, brought), not_before=self.clock() + LEASE)
            self.store.note(fire)
        complaints = (fire.brought(part.name) for part in parts if part.complains)
        return replace(fire, error=clip(" ".join(filter(None, complaints)), _LONGEST_ERROR)), errors

    def _keep(self, fire: Fire) -> None:
        self.store.note(replace(fire, not_before=self.clock() + LEASE))

    def _fail(self, schedule: Schedule, fire: Fire, errors: Sequence[CountersignError]) -> None:
        passing = [error for error in errors if isinstance(error, _PASSING)]
        fire = replace(
            fire,
            error=_explain(errors),
            excused=fire.excused + bool(passing),
            to_mend=len(passing) < len(errors),
        )
        log.warning("fire failed", error=fire.error, attempts=fire.attempts, excused=fire.excused)
        if passing and self._may_wait(schedule, fire):
            self._try_again(fire, after=_pause_after(fire.excused))
        elif not passing and fire.counted < MOST_ATTEMPTS and self._can_send(schedule):
            self._try_again(fire, after=_pause_after(fire.counted))
        else:
            self._end(schedule, fire)

    def _may_wait(self, schedule: Schedule, fire: Fire) -> bool:
        """Tell whether to wait for what gives no answer: until the next one is due, if there is a next one."""
        return schedule.is_active or self.clock() < fire.due_at + _WITHOUT_NEXT

    def _try_again(self, fire: Fire, *, after: timedelta) -> None:
        self.store.note(replace(fire, not_before=self.clock() + after))

    def _end(self, schedule: Schedule, fire: Fire) -> None:
        """Give a fire up; pause what comes to nothing time and again."""
        failed = self._settle(replace(fire, state=FireState.FAILED), "schedule.failed")
        if failed.failures < MOST_FAILURES or not failed.is_active:
            return
        because = f"{failed.failures} in a row were not {schedule.verb}: {fire.error}"
        Scheduling(store=self.store, clock=self.clock).pause(schedule.schedule_id, WORKER, because=because)
        log.warning("schedule paused", because=because)

    def _settle(self, fire: Fire, kind: str) -> Schedule:
        detail = {
            "fire": fire.fire_id,
            "parts": list(fire.parts),
            "attempts": fire.attempts,
            "error": fire.error,
        }
        event = TrailEvent(kind=kind, actor=WORKER, at=self.clock(), subject=fire.schedule_id, detail=detail)
        return self.store.settle(fire, event)


def _explain(errors: Sequence[CountersignError]) -> str:
    """Return what stood in the way, each once, on one line that ends in a full stop."""
    each = dict.fromkeys(one_line(encodable(error.explain())).strip() for error in errors)
    return clip(
        " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in each), _LONGEST_ERROR
    )


def _pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts in vain: 1, 2, 4 minutes, and 8 from then on."""
    return min(_FIRST_PAUSE * (1 << min(attempts - 1, 10)), _LONGEST_PAUSE)
