"""Fires where something gives no answer or has to be mended, and what a late one says."""

from datetime import datetime, timedelta, timezone

import pytest

from audit.errors import InputError, UnavailableError
from exporters.cadence import Cadence
from exporters.firing import MOST_ATTEMPTS
from exporters.lateness import Lateness, lateness_of
from exporters.schedules import FireState
from exporters.scheduling import Wish
from tests.unit.exporters.office import ANA, MONDAY, Office

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
