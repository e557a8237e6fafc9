"""Making schedules, claiming what is due, attempting fires: on a clock that the test moves."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from audit.actor import Actor
from audit.errors import (
    ConfigError,
    CountersignError,
    InputError,
    NotFoundError,
    StateError,
    UnavailableError,
)
from exporters.cadence import Cadence
from exporters.firing import LEASE, MOST_ATTEMPTS, MOST_FAILURES, Firing, Part
from exporters.lateness import Lateness, lateness_of
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
    assert office.fire().error == "SMTP_SERVER is not set."
    assert office.fire().to_mend
    office.wait(seconds=59)
    del office.post.fails["mail"]
    assert len(office.post.sent) == 1, "the first pause is a minute"
    office.wait(seconds=1)
    assert [part for part, _, _ in office.post.sent] == ["channel", "mail"]
    assert office.fire().state is FireState.SENT
    assert office.fire().error == ""


def test_what_fails_again_and_again_is_tried_with_growing_pauses_then_paused(office: Office) -> None:
    office.post.fails["channel"] = InputError("I am not in this channel.")
    attempted: list[datetime] = []
    office.post.before = lambda part: part == "channel" and attempted.append(office.now)  # type: ignore[func-returns-value]
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
    assert "cut off" in office.fire().error


def test_whoever_was_taken_over_sends_nothing_more(office: Office) -> None:
    def too_slow(part: str) -> None:
        if part == "channel" and office.fire().attempts == 1:
            office.now += LEASE + timedelta(seconds=1)
            other = office.stores.schedules.begin(office.fire().fire_id, office.now, until=office.now + LEASE)
            assert other is not None

    office.post.before = too_slow
    office.wait(hours=1)
    assert [part for part, _, _ in office.post.sent] == ["channel"]
    assert office.fire().error == ""


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
    office.wait(minutes=1)
    assert office.fire().state is FireState.FAILED
    assert "no running process has what makes up this report" in office.fire().error
    assert office.schedule().failures == 1


def test_late_but_there_it_is_sent_by_the_one_that_can(office: Office) -> None:
    office.post.can = False
    office.wait(hours=1)
    office.post.can = True
    office.wait(minutes=10)
    assert office.fire().state is FireState.SENT


AWAY = UnavailableError("Slack gives no answer.")


def late(office: Office, part: str = "channel") -> Lateness:
    return lateness_of(part, office.fire(), office.stores.schedules, office.now)


def pass_minutes(office: Office, minutes: int) -> None:
    for _ in range(minutes):
        office.wait(minutes=1)


def test_what_gives_no_answer_is_tried_until_it_does_and_counts_for_nothing(office: Office) -> None:
    office.post.fails = {"channel": AWAY, "mail": AWAY}
    office.wait(hours=1)
    pass_minutes(office, 20 * 60)
    fire = office.fire()
    assert fire.state is FireState.WAITING
    assert fire.attempts > 100
    assert fire.counted == 0
    assert not fire.to_mend
    office.post.fails = {}
    pass_minutes(office, 8)
    assert [part for part, _, _ in office.post.sent] == ["channel", "mail"]
    assert (office.schedule().failures, office.schedule().is_active) == (0, True)
    assert late(office) == Lateness(due_at=fire.due_at)


def test_after_all_that_what_a_person_has_to_mend_is_still_tried_as_often(office: Office) -> None:
    office.post.fails = {"channel": AWAY, "mail": AWAY}
    office.wait(hours=1)
    pass_minutes(office, 60)
    before = office.fire().attempts
    office.post.fails = {"channel": InputError("no"), "mail": InputError("no")}
    pass_minutes(office, 30)
    assert office.fire().state is FireState.FAILED
    assert office.fire().attempts - before == MOST_ATTEMPTS


def test_an_outage_over_many_slots_pauses_nothing_and_the_first_to_get_through_says_so(
    office: Office,
) -> None:
    office.scheduling.remove("daily", ANA)
    wish = Wish(schedule_id="often", cadence=Cadence(cron="*/5 * * * *"), channel="C1")
    office.scheduling.add(wish, ANA)
    office.post.fails = {"channel": AWAY}
    pass_minutes(office, 42)
    assert office.schedule("often").is_active
    assert office.schedule("often").failures == 0
    assert office.kinds().count("schedule.overtaken") == 7
    office.post.fails = {}
    pass_minutes(office, 3)
    in_time, first = office.stores.schedules.fires("often", 2)
    assert [fire.state for fire in (in_time, first)] == [FireState.SENT] * 2
    assert len(office.post.sent) == 2
    looked = [lateness_of("channel", fire, office.stores.schedules, office.now) for fire in (in_time, first)]
    assert looked == [Lateness(), Lateness(missed=7, due_at=MONDAY + timedelta(minutes=40))]


def test_one_that_was_cut_off_before_a_long_downtime_is_not_sent_beside_the_next(office: Office) -> None:
    def die(_part: str) -> None:
        raise KeyboardInterrupt

    office.post.before = die
    with pytest.raises(KeyboardInterrupt):
        office.wait(hours=1)
    office.post.before = lambda _part: None
    office.now += timedelta(days=1)
    (older,) = office.stores.schedules.waiting(office.now)
    office.firing.fire(older)  # before anybody has claimed what is due today
    assert office.post.sent == []
    assert office.stores.schedules.fire(older).state is FireState.OVERTAKEN
    office.wait(seconds=0)
    assert [(part, slot) for part, slot, _ in office.post.sent] == [
        ("channel", "2026-11-24T09:00"),
        ("mail", "2026-11-24T09:00"),
    ]
    assert late(office).missed == 1
    assert office.schedule().failures == 0


def test_one_that_was_claimed_and_not_begun_is_not_sent_beside_the_next_either(office: Office) -> None:
    office.now += timedelta(hours=1)
    assert office.scheduling.claim_due()
    office.wait(days=1)
    assert [slot for _, slot, _ in office.post.sent] == ["2026-11-24T09:00"] * 2
    assert late(office).missed == 1


def test_what_a_person_has_to_mend_counts_also_where_the_next_one_comes_first(office: Office) -> None:
    office.scheduling.remove("daily", ANA)
    office.scheduling.add(Wish(schedule_id="often", cadence=Cadence(cron="* * * * *"), channel="C1"), ANA)
    office.post.fails = {"channel": InputError("I am not in this channel.")}
    pass_minutes(office, 10)
    assert not office.schedule("often").is_active


def test_a_part_that_cannot_be_sent_stops_no_other(office: Office) -> None:
    office.post.has_file = True
    office.post.fails["channel"] = InputError("This channel is archived.")
    office.wait(hours=1)
    assert [part for part, _, _ in office.post.sent] == ["mail"], "and the file waits for its message"
    pass_minutes(office, 60)
    assert [part for part, _, _ in office.post.sent] == ["mail"], "what was done is not done again"
    assert office.fire().state is FireState.FAILED
    assert office.fire().parts == ("mail",)
    pass_minutes(office, 24 * 60)
    assert [part for part, _, _ in office.post.sent] == ["mail", "mail"]
    assert late(office, "mail").missed == 0
    assert late(office).missed == 1


def test_one_part_gives_no_answer_while_another_is_for_a_person_to_mend(office: Office) -> None:
    office.post.fails = {"channel": InputError("This channel is archived."), "mail": AWAY}
    office.wait(hours=1)
    pass_minutes(office, 60)
    fire = office.fire()
    assert (fire.state, fire.to_mend) == (FireState.WAITING, True)
    assert fire.error == "This channel is archived. Slack gives no answer."
    del office.post.fails["mail"]
    pass_minutes(office, 8)
    assert [part for part, _, _ in office.post.sent] == ["mail"]


def test_until_the_next_one_may_be_long(office: Office) -> None:
    office.scheduling.remove("daily", ANA)
    office.scheduling.add(Wish(schedule_id="weekly", cadence=Cadence.weekly(0, 9), channel="C1"), ANA)
    office.post.fails = {"channel": AWAY}
    office.wait(hours=1)
    for _ in range(3 * 24):
        office.wait(hours=1)
    assert office.fire("weekly").state is FireState.WAITING
    del office.post.fails["channel"]
    office.wait(minutes=8)
    assert len(office.post.sent) == 1


def test_with_no_next_one_it_is_tried_for_a_day(office: Office) -> None:
    office.scheduling.pause("daily", ANA)
    office.scheduling.run_now("daily", ANA, key="q")
    office.post.fails = {"channel": AWAY, "mail": AWAY}
    for _ in range(23 * 6):
        office.wait(minutes=10)
    assert office.fire().state is FireState.WAITING
    for _ in range(12):
        office.wait(minutes=10)
    assert office.fire().state is FireState.FAILED


def test_what_was_sent_by_hand_stands_for_those_before_it(office: Office) -> None:
    office.post.fails = {"channel": InputError("no"), "mail": InputError("no")}
    office.wait(hours=1)
    pass_minutes(office, 20)
    assert office.fire().state is FireState.FAILED
    office.post.fails = {}
    office.scheduling.run_now("daily", ANA, key="q")
    office.wait(seconds=0)
    assert late(office).missed == 1
    office.wait(hours=24, minutes=-20)
    assert office.fire().asked_by is None
    assert late(office) == Lateness()


def test_a_remark_for_a_subject() -> None:
    assert Lateness().remark == ""
    due = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert Lateness(missed=1200, due_at=due).remark == "1,200 earlier missed, due 2026-11-23 09:00 UTC"
