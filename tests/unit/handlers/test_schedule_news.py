"""Whoever owns a schedule hears of what stood in its way, however many fires it has had; one in whose way nothing stood costs no look."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session

from bot.sandbox import SlackStandIn
from exporters.schedules import Fire, FireState, fire_id_of
from handlers.notices import due_notices
from handlers.schedule_news import LASTS_AFTER, LATE, UNSENT, build_schedule_news, due_schedule_news
from remediation.attention import Notice
from storage import Stores
from storage.fires import to_fire_row
from tests.databases import stores_in_memory
from tests.endings import Later
from tests.unit.handlers.house import House, serving
from tests.unit.handlers.test_schedule_command import made, only, sweep_notices

MANY = 1_050  # more than are read at once of one schedule, anywhere
AWAY = "The mail server cannot be reached."
SENT, WAITING, FAILED, OVERTAKEN = FireState.SENT, FireState.WAITING, FireState.FAILED, FireState.OVERTAKEN


@pytest.fixture
def house(slack: SlackStandIn, later: Later) -> Iterator[House]:
    stack, stores = ExitStack(), stores_in_memory()
    stack.callback(stores.close)
    house = House(slack, stores=stores)
    slack.bot_url = stack.enter_context(serving(house))
    made(house)
    yield house
    later(stack.close)


def have_fired(house: House, *ends: tuple[FireState, str, int]) -> list[Fire]:
    """Have the schedule's fires stored, one a minute up to now: so many that ended like this, with this error, the oldest first."""
    schedule, stores = only(house), house.stores
    assert isinstance(stores, Stores)
    all_ends = [(state, error) for state, error, count in ends for _ in range(count)]
    first_due = house.now - timedelta(minutes=len(all_ends))
    fires = [
        Fire(
            fire_id=fire_id_of(schedule, str(number)),
            schedule_id=schedule.schedule_id,
            slot=str(number),
            due_at=first_due + timedelta(minutes=number),
            not_before=first_due + timedelta(minutes=number),
            state=state,
            attempts=1,
            excused=1,
            error=error,
        )
        for number, (state, error) in enumerate(all_ends)
    ]
    with Session(stores.database.engine) as session:
        session.add_all(map(to_fire_row, fires))
        session.commit()
    return fires


def told(house: House) -> list[str]:
    return [message.words for message in house.slack.messages("@ana", as_user="ana")]


def news(house: House) -> list[str]:
    return due_schedule_news(house.services, house.now)


def test_an_outage_that_nobody_could_be_told_of_is_told_a_thousand_fires_later(house: House) -> None:
    first, *_ = have_fired(house, (OVERTAKEN, AWAY, MANY), (WAITING, AWAY, 1))
    assert news(house) == [Notice(LATE, first.fire_id, "1").notice_id]
    sweep_notices(house)
    (once,) = told(house)
    assert "could not be sent since" in once
    assert AWAY in once
    assert news(house) == []
    house.now += timedelta(minutes=1)
    assert due_notices(house.services, house.now) == []


@pytest.mark.parametrize("before", [(SENT, ""), (OVERTAKEN, "")])
def test_the_newest_that_came_to_nothing_is_told_behind_a_thousand_others(
    house: House, before: tuple[FireState, str]
) -> None:
    *_, failed = have_fired(house, (*before, MANY), (FAILED, AWAY, 1))
    assert news(house) == [Notice(UNSENT, failed.fire_id, "1").notice_id]
    sweep_notices(house)
    assert AWAY in told(house)[0]


def test_of_two_that_came_to_nothing_the_later_is_told_though_a_thousand_lie_between_and_behind(
    house: House,
) -> None:
    fires = have_fired(house, (FAILED, "Older.", 1), (SENT, "", 10), (FAILED, AWAY, 1), (SENT, "", MANY))
    sweep_notices(house)
    (once,) = told(house)
    assert AWAY in once
    assert build_schedule_news(house.services, Notice(UNSENT, fires[0].fire_id, "1")) is None


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """Note what is asked of the table of fires."""
    assert isinstance(house.stores, Stores)
    engine, seen = house.stores.database.engine, list[str]()

    def note(*told: object) -> None:
        if "FROM fires" in str(told[2]):
            seen.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("state", [SENT, WAITING, OVERTAKEN])
def test_a_schedule_in_whose_way_nothing_stood_costs_nothing_and_tells_nothing(
    house: House, state: FireState
) -> None:
    have_fired(house, (state, "", MANY))
    with statements(house) as seen:
        assert news(house) == []
    assert len(seen) == 1, "one look for all schedules, at fires with an error"
    assert "fires.error !=" in seen[0]


def test_what_waits_though_nothing_stood_in_its_way_is_not_late_because_of_what_passed(house: House) -> None:
    fires = have_fired(house, (OVERTAKEN, AWAY, 3), (SENT, "", 1), (WAITING, "", 60))
    assert news(house) == []
    assert build_schedule_news(house.services, Notice(LATE, fires[4].fire_id, "1")) is None


def test_what_was_told_is_no_longer_true_where_nothing_stands_in_the_way_any_more(house: House) -> None:
    fires = have_fired(house, (OVERTAKEN, AWAY, 30))
    late = Notice.parse(news(house)[0])
    assert build_schedule_news(house.services, late) is not None
    (newer,) = have_fired_again(house, replace(fires[-1], state=SENT, error=""))
    assert build_schedule_news(house.services, late) is None
    assert build_schedule_news(house.services, Notice(LATE, newer.fire_id, "1")) is None


def have_fired_again(house: House, *fires: Fire) -> list[Fire]:
    """Store more fires, each a minute behind the one that it is like."""
    assert isinstance(house.stores, Stores)
    newer = [
        replace(
            each,
            fire_id=f"{each.fire_id}-a",
            slot=f"{each.slot}-a",
            due_at=each.due_at + timedelta(minutes=1),
        )
        for each in fires
    ]
    with Session(house.stores.database.engine) as session:
        session.add_all(map(to_fire_row, newer))
        session.commit()
    return newer


def test_it_is_late_when_it_has_lasted(house: House) -> None:
    first, *_ = have_fired(house, (OVERTAKEN, AWAY, 5), (WAITING, AWAY, 1))
    assert news(house) == []
    house.now = first.due_at + LASTS_AFTER
    assert news(house) == [Notice(LATE, first.fire_id, "1").notice_id]
