"""A fire, from claimed to sent: part by part, each once; tried again with growing pauses; its owner told when it fails.

What was begun by a process that died is begun again by another when its lease is over, which `Fire.attempts` shows: a part that
may have been sent already looks for itself before it is sent again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from audit.actor import WORKER
from audit.errors import CountersignError, InputError, NotFoundError, StateError
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
_GRACE = timedelta(minutes=15)  # for a process that can, where this one cannot
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Part:
    """Something to be sent or fetched: its name, one word, and what does it.

    `send` raises CountersignError where it was not done. It is given the fire: from its second attempt on, it may have been. What it
    returns is kept beside its name for the parts behind it. While it takes its time, nobody else begins the fire.
    """

    name: str
    send: Callable[[Fire], str | None]


class Sender(Protocol):
    """Knows what a kind of schedule sends."""

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether this process has what it takes."""

    def parts(self, schedule: Schedule, fire: Fire) -> list[Part]:
        """Return what is to be sent, in order.

        Raises:
            CountersignError: it cannot be made up.
        """


class Voice(Protocol):
    """Tells the owner of a schedule how it fares."""

    def tell(self, schedule: Schedule, text: str) -> None:
        """Tell the owner; never raises."""


class LoggedVoice:
    """A voice for programs without Slack."""

    def tell(self, schedule: Schedule, text: str) -> None:
        """Write it to the log."""
        log.warning("schedule failed", schedule=schedule.schedule_id, told=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """Attempts fires. `senders` by the kind of schedule they know."""

    store: ScheduleStore
    clock: Callable[[], datetime]
    senders: Mapping[str, Sender]
    voice: Voice = field(default_factory=LoggedVoice)
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

    def _attempt(self, schedule: Schedule, fire: Fire) -> None:
        if fire.attempts > MOST_ATTEMPTS:  # each of them ended its process
            self._fail(schedule, fire, InputError("each attempt was cut off"))
            return
        try:
            fire = self._send(schedule, fire)
        except StateError:
            raise
        except CountersignError as error:
            done = self.store.fire(fire.fire_id).parts
            self._fail(schedule, replace(fire, parts=done), error)
            return
        self._settle(replace(fire, state=FireState.SENT, error=""), "schedule.sent")
        log.info("fire sent", parts=fire.parts, missed=fire.missed)

    def _send(self, schedule: Schedule, fire: Fire) -> Fire:
        if not self._can_send(schedule):
            raise InputError("no running process has what makes up this report: start the program that does")
        for part in self.senders[schedule.kind].parts(schedule, fire):
            if fire.is_done(part.name):
                continue
            fire = replace(fire, not_before=self.clock() + LEASE)
            self.store.note(fire)  # still ours: whoever was taken over stops here, before it sends anything
            with keeping(partial(self._keep, fire), every_s=self.keep_every_s):
                brought = part.send(fire)
            fire = replace(fire, parts=(*fire.parts, " ".join(filter(None, (part.name, brought)))))
            self.store.note(fire)
        return fire

    def _keep(self, fire: Fire) -> None:
        self.store.note(replace(fire, not_before=self.clock() + LEASE))

    def _fail(self, schedule: Schedule, fire: Fire, error: CountersignError) -> None:
        why = clip(one_line(encodable(error.explain())), _LONGEST_ERROR)
        log.warning("fire failed", error=why, attempts=fire.attempts)
        if fire.attempts < MOST_ATTEMPTS and self._can_send(schedule):
            again_at = self.clock() + _pause_after(fire.attempts)
            self.store.note(replace(fire, error=why, not_before=again_at))
            if fire.attempts == 1:
                self.voice.tell(
                    schedule,
                    f"could not be {schedule.verb}: {why} I try again, up to {MOST_ATTEMPTS - 1} times.",
                )
            return
        after = self._settle(replace(fire, state=FireState.FAILED, error=why), "schedule.failed")
        self._give_up(after, f"{why} Attempts: {fire.attempts}.")

    def _settle(self, fire: Fire, kind: str) -> Schedule:
        detail = {
            "fire": fire.fire_id,
            "parts": list(fire.parts),
            "attempts": fire.attempts,
            "error": fire.error,
        }
        event = TrailEvent(kind=kind, actor=WORKER, at=self.clock(), subject=fire.schedule_id, detail=detail)
        return self.store.settle(fire, event)

    def _give_up(self, schedule: Schedule, why: str) -> None:
        """Tell the owner that nothing came of it, and pause what comes to nothing time and again."""
        if schedule.failures < MOST_FAILURES or not schedule.is_active:
            self.voice.tell(schedule, f"was not {schedule.verb}: {why}")
            return
        because = f"{schedule.failures} in a row were not {schedule.verb}: {why}"
        Scheduling(store=self.store, clock=self.clock).pause(schedule.schedule_id, WORKER, because=because)
        self.voice.tell(
            schedule,
            f"is paused, because {because} Once that is mended: `/schedule resume {schedule.schedule_id}`",
        )


def _pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts in vain: 1, 2, 4, 8 minutes."""
    return _FIRST_PAUSE * (1 << (attempts - 1))
