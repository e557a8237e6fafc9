"""An office that sends nothing, on a clock that the test moves: schedules, fires, and what is done about them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from audit.actor import Actor
from audit.errors import (
    CountersignError,
)
from exporters.cadence import Cadence
from exporters.firing import Firing, Part
from exporters.schedules import Fire, Schedule, ScheduleKind
from exporters.scheduling import Scheduling, Wish
from tests.fakes.stores import MemoryStores

ANA = Actor(workspace="T1", slack_id="U0ANA")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAILY = Wish(schedule_id="daily", cadence=Cadence.daily(9), channel="C1", recipients=("ciso@example.com",))


@dataclass
class Post:
    """Sends nothing, and remembers what it was asked to. `fails` names parts that cannot be sent, with why."""

    sent: list[tuple[str, str, int]] = field(default_factory=list)
    fails: dict[str, CountersignError] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _part: None
    can: bool = True
    has_file: bool = False
    making_up: Callable[[], None] = lambda: None

    def can_send(self, _schedule: Schedule) -> bool:
        return self.can

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        self.making_up()
        names = (["channel"] if schedule.channel else []) + (["mail"] if schedule.recipients else [])
        names += ["file"] if self.has_file else []
        return [
            Part(name, lambda fire, name=name: self._send(name, fire), after="channel" * (name == "file"))  # type: ignore[misc]
            for name in names
        ]

    def _send(self, part: str, fire: Fire) -> None:
        self.before(part)
        if part in self.fails:
            raise self.fails[part]
        self.sent.append((part, fire.slot, fire.missed))


@dataclass
class Office:
    now: datetime = MONDAY
    stores: MemoryStores = field(default_factory=MemoryStores)
    post: Post = field(default_factory=Post)

    def __post_init__(self) -> None:
        self.scheduling = Scheduling(store=self.stores.schedules, clock=self.clock)
        self.firing = Firing(
            store=self.stores.schedules,
            clock=self.clock,
            senders={ScheduleKind.DIGEST: self.post},
        )

    def clock(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        """Let time pass and do what is due then."""
        self.now += timedelta(**time)
        self.scheduling.claim_due()
        for fire_id in self.stores.schedules.waiting(self.now):
            self.firing.fire(fire_id)

    def schedule(self, name: str = "daily") -> Schedule:
        return self.stores.schedules.get(name)

    def fire(self, name: str = "daily") -> Fire:
        return self.stores.schedules.fires(name)[0]

    def kinds(self) -> list[str]:
        return [json.loads(entry.body)["kind"] for entry in self.stores.trail.stream()]
