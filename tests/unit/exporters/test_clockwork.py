"""The clock: APScheduler wakes us, the store says what is due."""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from audit.actor import Actor
from audit.errors import CountersignError
from audit.trail import TrailEvent
from exporters import clockwork
from exporters.cadence import Cadence
from exporters.clockwork import Clockwork
from exporters.schedule_memory import MemorySchedules
from exporters.scheduling import Scheduling, Wish

ANA = Actor(slack_id="U0ANA")
NEVER_S = 3600.0
PATIENCE_S = 20


@dataclass
class Ticks:
    """Counts ticks; a test waits for the next one instead of for some time."""

    count: int = 0
    fails: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        if self.fails:
            raise CountersignError("the database is locked")

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, PATIENCE_S)


def a_scheduling() -> Scheduling:
    return Scheduling(store=MemorySchedules(), clock=lambda: datetime.now(UTC))


def wait_for_timers(clock: Clockwork, names: set[str]) -> bool:
    until = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        if clock.timers.keys() == names:
            return True
        until.wait(0.05)
    return False


def add(scheduling: Scheduling, name: str) -> None:
    wish = Wish(schedule_id=name, cadence=Cadence.daily(9), channel="C1")
    scheduling.add(wish, ANA)


def test_it_looks_at_once_and_sets_a_timer_for_each_active_schedule() -> None:
    scheduling, ticks = a_scheduling(), Ticks()
    for name in ("one", "two", "paused"):
        add(scheduling, name)
    scheduling.pause("paused", ANA)
    clock = Clockwork(scheduling.store, ticks, look_every_s=NEVER_S)
    assert not clock.is_alive
    clock.start()
    clock.start()
    assert ticks.wait_for(1)
    assert wait_for_timers(clock, {"one", "two"})
    assert clock.timers["one"] == scheduling.store.get("one").next_at
    assert clock.is_alive
    clock.stop()
    assert not clock.is_alive


def test_what_another_process_changed_is_found_by_the_next_look() -> None:
    scheduling, ticks = a_scheduling(), Ticks()
    add(scheduling, "one")
    clock = Clockwork(scheduling.store, ticks, look_every_s=0.05)
    clock.start()
    assert wait_for_timers(clock, {"one"})
    add(scheduling, "two")
    scheduling.pause("one", ANA)
    assert wait_for_timers(clock, {"two"})
    clock.stop()


def test_a_timer_wakes_it_when_a_schedule_is_due() -> None:
    scheduling, ticks = a_scheduling(), Ticks()
    add(scheduling, "one")
    store, soon = scheduling.store, datetime.now(UTC) + timedelta(seconds=0.5)
    seen = store.get("one")
    changed = TrailEvent(kind="schedule.changed", actor=ANA, at=soon, subject="one")
    store.save(seen, replace(seen, next_at=soon), changed)
    clock = Clockwork(store, ticks, look_every_s=NEVER_S)
    clock.start()
    assert ticks.wait_for(2), "one look at the start, one when it was due"
    clock.stop()


def test_a_look_that_fails_is_repeated_and_too_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduling, ticks = a_scheduling(), Ticks(fails=True)
    clock = Clockwork(scheduling.store, ticks, look_every_s=0.05)
    clock.start()
    assert ticks.wait_for(3)
    assert clock.is_alive
    monkeypatch.setattr(clockwork, "DEAD_AFTER_S", 0.0)
    assert not clock.is_alive
    clock.stop()


def test_it_stops_while_it_is_looking() -> None:
    scheduling, entered, leave = a_scheduling(), threading.Event(), threading.Event()
    add(scheduling, "one")

    def slow() -> None:
        entered.set()
        leave.wait(PATIENCE_S)

    clock = Clockwork(scheduling.store, slow, look_every_s=NEVER_S)
    clock.start()
    assert entered.wait(PATIENCE_S)
    stopping = threading.Thread(target=clock.stop)
    stopping.start()
    leave.set()
    stopping.join(PATIENCE_S)
    assert not stopping.is_alive(), "APScheduler's own shutdown would wait for ever here"
