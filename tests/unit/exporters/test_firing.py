"""Attempting fires: each part once, by one process at a time."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from audit.errors import (
    ConfigError,
    CountersignError,
    InputError,
)
from exporters.firing import LEASE, MOST_ATTEMPTS, MOST_FAILURES
from exporters.schedule_memory import MemorySchedules
from exporters.schedules import Fire, FireState
from tests.unit.exporters.office import ANA, DAILY, Office

PATIENCE_S = 60


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


class Locked(MemorySchedules):
    """Cannot note anything at the n-th time that it is asked to."""

    refuses_at = 0

    def note(self, fire: Fire) -> None:
        self.refuses_at -= 1
        if self.refuses_at == 0:
            raise CountersignError("the database is locked")
        super().note(fire)


def test_what_was_sent_stays_sent_where_the_database_is_locked_afterwards(office: Office) -> None:
    store = Locked()
    office.firing = replace(office.firing, store=store)
    office.scheduling = replace(office.scheduling, store=store)
    office.scheduling.add(DAILY, ANA)
    office.now += timedelta(hours=1)
    (fire_id,) = office.scheduling.claim_due()
    store.refuses_at = 3  # before the second part; twice for the first
    office.firing.fire(fire_id)
    assert store.fires("daily")[0].parts == ("channel",)
    office.now += timedelta(minutes=1)
    office.firing.fire(fire_id)
    assert [part for part, _, _ in office.post.sent] == ["channel", "mail"]
