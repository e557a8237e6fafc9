"""Making schedules and claiming what is due: on a clock that the test moves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from audit.errors import (
    InputError,
    NotFoundError,
    StateError,
)
from exporters.cadence import Cadence
from exporters.schedules import FireState
from exporters.scheduling import MOST_MISSED, Wish
from tests.unit.exporters.office import ANA, DAILY, MONDAY, Office


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
