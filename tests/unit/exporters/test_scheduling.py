"""Making schedules, claiming what is due, attempting fires: on a clock that the test moves."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from audit.actor import Actor
from audit.errors import ConfigError, CountersignError, InputError, NotFoundError, StateError
from exporters.cadence import Cadence
from exporters.firing import LEASE, MOST_ATTEMPTS, MOST_FAILURES, Firing, Part
from exporters.schedule_memory import MemorySchedules
from exporters.schedules import Fire, FireState, Schedule, ScheduleKind
from exporters.scheduling import MOST_MISSED, Scheduling, Wish
from tests.fakes.stores import MemoryStores

ANA = Actor(workspace="T1", slack_id="U0ANA")
PATIENCE_S = 10
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAILY = Wish(schedule_id="daily", cadence=Cadence.daily(9), channel="C1", recipients=("ciso@example.com",))


@dataclass
class Post:
    """Sends nothing, and remembers what it was asked to. `fails` names parts that cannot be sent, with why."""

    sent: list[tuple[str, str, int]] = field(default_factory=list)
    fails: dict[str, CountersignError] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _part: None
    can: bool = True
    making_up: Callable[[], None] = lambda: None

    def can_send(self, _schedule: Schedule) -> bool:
        return self.can

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        self.making_up()
        names = (["channel"] if schedule.channel else []) + (["mail"] if schedule.recipients else [])
        return [Part(name, lambda fire, name=name: self._send(name, fire)) for name in names]  # type: ignore[misc]

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
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduling = Scheduling(store=self.stores.schedules, clock=self.clock)
        self.firing = Firing(
            store=self.stores.schedules,
            clock=self.clock,
            senders={ScheduleKind.DIGEST: self.post},
            voice=self,
        )

    def clock(self) -> datetime:
        return self.now

    def tell(self, schedule: Schedule, text: str) -> None:
        self.told.append(f"{schedule.schedule_id} {text}")

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


@pytest.fixture
def office() -> Office:
    office = Office()
    office.scheduling.add(DAILY, ANA)
    return office


def test_a_schedule_sends_when_it_is_due_and_the_trail_says_so(office: Office) -> None:
    office.wait(minutes=59)
    assert office.post.sent == []
    office.wait(minutes=1)
    assert office.post.sent == [("channel", "2026-11-23T09:00", 0), ("mail", "2026-11-23T09:00", 0)]
    office.wait(minutes=1)
    assert len(office.post.sent) == 2
    assert office.kinds() == ["schedule.created", "schedule.fired", "schedule.sent"]
    assert office.fire().state is FireState.SENT
    assert office.fire().parts == ("channel", "mail")


def test_the_same_wish_twice_is_one_schedule_and_another_one_is_refused(office: Office) -> None:
    office.wait(minutes=5)
    assert office.scheduling.add(DAILY, ANA).created_at == MONDAY
    with pytest.raises(StateError, match="daily already"):
        office.scheduling.add(replace(DAILY, channel="C2"), ANA)
    assert office.kinds() == ["schedule.created"]


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "<!channel>", "../x", "ä"])
def test_names_that_cannot_be_used(office: Office, name: str) -> None:
    with pytest.raises(InputError, match="name has 1 to 64"):
        office.scheduling.add(replace(DAILY, schedule_id=name), ANA)


def test_a_schedule_goes_somewhere(office: Office) -> None:
    with pytest.raises(InputError, match="where it goes"):
        office.scheduling.add(replace(DAILY, schedule_id="x", channel="", recipients=()), ANA)


def test_after_a_time_away_the_latest_is_sent_once_and_says_what_was_missed(office: Office) -> None:
    office.wait(days=4, hours=2)
    assert office.post.sent[0] == ("channel", "2026-11-27T09:00", 4)
    assert len(office.post.sent) == 2
    office.wait(days=1)
    assert office.post.sent[2] == ("channel", "2026-11-28T09:00", 0)


def test_a_clock_that_was_ahead_and_is_right_again_makes_nothing_wait_and_nothing_come_twice(
    office: Office,
) -> None:
    office.scheduling.add(replace(DAILY, schedule_id="hourly", cadence=Cadence(cron="0 * * * *")), ANA)
    office.wait(days=3)
    sent = [slot for part, slot, _ in office.post.sent if part == "channel"]
    office.now = MONDAY
    office.wait(minutes=1)
    assert [slot for part, slot, _ in office.post.sent if part == "channel"] == sent
    assert office.kinds().count("schedule.wound_back") == 2
    assert office.schedule("hourly").next_at == MONDAY + timedelta(hours=1)
    office.post.sent.clear()
    for _ in range(75):
        office.wait(hours=1)
    hours = [slot for part, slot, _ in office.post.sent if part == "channel" and slot not in sent]
    assert len(hours) == len(set(hours)) == 75 + 4 - 2, (
        "each hour and each morning but the two that were sent ahead"
    )
    assert office.kinds().count("schedule.wound_back") == 2


def test_a_very_long_time_away_is_counted_up_to_a_limit(office: Office) -> None:
    wish = Wish(schedule_id="often", cadence=Cadence(cron="* * * * *"), channel="C1")
    office.scheduling.add(wish, ANA)
    office.now += timedelta(days=30)
    fire = office.stores.schedules.fire(office.scheduling.claim_due()[-1])
    assert fire.missed == MOST_MISSED
    assert fire.due_at == office.now


def test_paused_nothing_is_due_and_resumed_nothing_is_made_up_for(office: Office) -> None:
    paused = office.scheduling.pause("daily", ANA)
    assert paused.paused_because == "by hand"
    assert office.scheduling.pause("daily", ANA) == paused
    office.wait(days=3)
    assert office.post.sent == []
    resumed = office.scheduling.resume("daily", ANA)
    assert resumed.next_at == datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert office.scheduling.resume("daily", ANA) == resumed
    office.wait(hours=1)
    assert office.post.sent[0] == ("channel", "2026-11-26T09:00", 0)
    assert office.kinds()[:3] == ["schedule.created", "schedule.paused", "schedule.resumed"]


def test_run_now_sends_once_and_leaves_its_times_alone(office: Office) -> None:
    before = office.schedule()
    first = office.scheduling.run_now("daily", ANA, key="q-1")
    assert office.scheduling.run_now("daily", ANA, key="q-1") == first
    office.wait(seconds=0)
    assert [part for part, _, _ in office.post.sent] == ["channel", "mail"]
    assert office.schedule() == before
    assert office.fire().asked_by == ANA
    office.scheduling.pause("daily", ANA)
    office.scheduling.run_now("daily", ANA, key="q-2")
    office.wait(seconds=0)
    assert len(office.post.sent) == 4, "a paused one can be tried out"


def test_removed_it_is_gone_even_with_a_fire_under_way(office: Office) -> None:
    fire = office.scheduling.run_now("daily", ANA, key="q-1")
    office.post.before = lambda _part: office.scheduling.remove("daily", ANA) and None
    office.wait(seconds=0)
    assert [part for part, _, _ in office.post.sent] == ["channel"], "the mail that comes after is not sent"
    office.firing.fire(fire.fire_id)
    with pytest.raises(NotFoundError):
        office.scheduling.remove("daily", ANA)


def test_a_part_that_was_sent_is_not_sent_again_when_the_other_fails(office: Office) -> None:
    office.post.fails["mail"] = ConfigError("SMTP_SERVER is not set")
    office.wait(hours=1)
    assert office.post.sent == [("channel", "2026-11-23T09:00", 0)]
    assert office.told == [
        f"daily could not be sent: SMTP_SERVER is not set I try again, up to {MOST_ATTEMPTS - 1} times."
    ]
    office.wait(seconds=59)
    del office.post.fails["mail"]
    assert len(office.post.sent) == 1, "the first pause is a minute"
    office.wait(seconds=1)
    assert [part for part, _, _ in office.post.sent] == ["channel", "mail"]
    assert office.fire().state is FireState.SENT
    assert len(office.told) == 1


def test_what_fails_again_and_again_is_tried_with_growing_pauses_then_paused(office: Office) -> None:
    office.post.fails["channel"] = InputError("I am not in this channel.")
    attempted: list[datetime] = []
    office.post.before = lambda _part: attempted.append(office.now)
    office.wait(hours=1)
    for _ in range(60):
        office.wait(minutes=1)
    pauses = [(b - a) / timedelta(minutes=1) for a, b in pairwise(attempted)]
    assert pauses == [1, 2, 4, 8]
    assert office.fire().state is FireState.FAILED
    assert office.schedule().failures == 1
    assert office.schedule().is_active

    for _ in range(2 * 24 * 60):
        office.wait(minutes=1)
    assert len(attempted) == MOST_FAILURES * MOST_ATTEMPTS
    paused = office.schedule()
    assert not paused.is_active
    assert "3 in a row were not sent: I am not in this channel." in paused.paused_because
    assert office.kinds().count("schedule.failed") == MOST_FAILURES
    assert office.kinds()[-1] == "schedule.paused"
    assert len(office.told) == 2 * MOST_FAILURES
    assert "/schedule resume daily" in office.told[-1]


def test_a_success_in_between_forgives(office: Office) -> None:
    for day in range(6):
        office.post.fails = {"channel": InputError("no")} if day % 3 != 2 else {}
        office.wait(hours=1 if day == 0 else 0)
        for _ in range(24 * 60):
            office.wait(minutes=1)
    assert office.schedule().is_active


def test_a_process_that_died_is_followed_by_another_that_knows_it_may_have_sent(office: Office) -> None:
    seen: list[int] = []

    def die(_part: str) -> None:
        seen.append(office.fire().attempts)
        if len(seen) == 1:
            raise KeyboardInterrupt  # as good as a kill: nothing of ours runs afterwards

    office.post.before = die
    with pytest.raises(KeyboardInterrupt):
        office.wait(hours=1)
    office.wait(seconds=LEASE.total_seconds() - 1)
    assert seen == [1], "its lease holds"
    office.wait(seconds=1)
    assert seen == [1, 2, 2]
    assert office.fire().state is FireState.SENT


def test_one_that_ends_its_process_each_time_is_given_up(office: Office) -> None:
    def die(_part: str) -> None:
        raise KeyboardInterrupt

    office.post.before = die
    office.now += timedelta(hours=1)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            office.wait(minutes=3)
    office.wait(minutes=3)
    assert office.fire().state is FireState.FAILED
    assert "cut off" in office.told[-1]


def test_whoever_was_taken_over_sends_nothing_more(office: Office) -> None:
    def too_slow(part: str) -> None:
        if part == "channel" and office.fire().attempts == 1:
            office.now += LEASE + timedelta(seconds=1)
            other = office.stores.schedules.begin(office.fire().fire_id, office.now, until=office.now + LEASE)
            assert other is not None

    office.post.before = too_slow
    office.wait(hours=1)
    assert [part for part, _, _ in office.post.sent] == ["channel"]
    assert office.told == []


def test_a_part_that_takes_longer_than_the_lease_keeps_it(office: Office) -> None:
    store, renewed, taken = MemorySchedules(), threading.Semaphore(0), list[Fire | None]()

    def clock() -> datetime:
        if threading.current_thread().name == "keeper":
            renewed.release()  # so the one before this has been noted
        return office.now

    office.firing = replace(office.firing, store=store, clock=clock, keep_every_s=0.001)
    office.scheduling = replace(office.scheduling, store=store)
    office.scheduling.add(DAILY, ANA)

    def take_long(_part: str) -> None:
        for _ in range(4):
            office.now += LEASE / 2
            while renewed.acquire(blocking=False):  # what it did before
                pass
            for _ in range(2):  # the second comes when the first has been noted
                assert renewed.acquire(timeout=PATIENCE_S)
        (fire,) = store.fires("daily")
        taken.append(store.begin(fire.fire_id, office.now, until=office.now + LEASE))

    office.post.before = take_long
    office.now += timedelta(hours=1)
    office.firing.fire(*office.scheduling.claim_due())
    assert taken == [None, None]
    assert [part for part, _, _ in office.post.sent] == ["channel", "mail"]
    assert store.fires("daily")[0].attempts == 1
    assert not [each for each in threading.enumerate() if each.name == "keeper"]


def test_whoever_was_taken_over_while_making_it_up_sends_nothing_at_all(office: Office) -> None:
    def too_slow() -> None:
        office.post.making_up = lambda: None
        office.now += LEASE + timedelta(seconds=1)
        assert office.stores.schedules.begin(office.fire().fire_id, office.now, until=office.now + LEASE)

    office.post.making_up = too_slow
    office.wait(hours=1)
    assert office.post.sent == []


def test_what_this_process_cannot_send_is_left_to_one_that_can_until_its_owner_has_to_know(
    office: Office,
) -> None:
    office.post.can = False
    office.wait(hours=1)
    office.wait(minutes=14)
    assert office.fire().attempts == 0
    assert office.told == []
    office.wait(minutes=1)
    assert office.fire().state is FireState.FAILED
    assert "no running process has what makes up this report" in office.told[0]
    assert office.schedule().failures == 1


def test_late_but_there_it_is_sent_by_the_one_that_can(office: Office) -> None:
    office.post.can = False
    office.wait(hours=1)
    office.post.can = True
    office.wait(minutes=10)
    assert office.fire().state is FireState.SENT
