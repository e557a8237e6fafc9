"""What every `Homes` and every `Outcomes` does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from remediation.audience import HOME_EVERY, HOMES_AT_ONCE, OUTCOMES
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.samples import ANALYST, APPROVER, NOW, an_event, an_execution
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
LATER = NOW + HOME_EVERY
MINE, THEIRS = "T1/U1", "T1/U2"
DONE = PlaybookStatus.COMPLETED


def draw(stores: AnyStores, name: str, *, report_id: str = "", at: object = NOW) -> None:
    home = stores.homes.begin(name, at)  # type: ignore[arg-type]
    assert home is not None
    stores.homes.drawn(home, report_id=report_id)


def test_a_home_is_due_once_opened_and_up_to_date_once_drawn(stores: AnyStores) -> None:
    assert stores.homes.opened(ANALYST, NOW) == MINE
    assert stores.homes.due(NOW, report_id="") == [MINE]
    draw(stores, MINE)
    assert stores.homes.due(LATER, report_id="") == []
    assert stores.homes.opened(ANALYST, LATER) == MINE
    assert stores.homes.due(LATER, report_id="") == [MINE]


def test_a_change_concerns_every_home(stores: AnyStores) -> None:
    for person in (ANALYST, APPROVER):
        draw(stores, stores.homes.opened(person, NOW))
    stores.homes.changed()
    assert sorted(stores.homes.due(LATER, report_id="")) == [MINE, THEIRS]


def test_a_change_while_it_is_drawn_is_not_lost(stores: AnyStores) -> None:
    home = stores.homes.begin(stores.homes.opened(ANALYST, NOW), NOW)
    assert home is not None
    stores.homes.changed()
    stores.homes.drawn(home, report_id="")
    assert stores.homes.due(LATER, report_id="") == [MINE]


def test_a_new_report_is_a_change(stores: AnyStores) -> None:
    draw(stores, stores.homes.opened(ANALYST, NOW), report_id="r-1")
    assert stores.homes.due(LATER, report_id="r-1") == []
    assert stores.homes.due(LATER, report_id="r-2") == [MINE]


def test_no_home_is_begun_twice_in_a_moment(stores: AnyStores) -> None:
    name = stores.homes.opened(ANALYST, NOW)
    assert stores.homes.begin(name, NOW)
    stores.homes.changed()
    assert stores.homes.begin(name, LATER - timedelta(seconds=1)) is None
    assert stores.homes.due(LATER - timedelta(seconds=1), report_id="") == []
    assert stores.homes.begin(name, LATER)


def test_all_people_together_get_so_many_at_once(stores: AnyStores) -> None:
    people = [replace(ANALYST, slack_id=f"U{number:02}") for number in range(HOMES_AT_ONCE + 3)]
    for person in people:
        stores.homes.opened(person, NOW)
    first = stores.homes.due(NOW, report_id="")
    assert len(first) == HOMES_AT_ONCE
    for name in first:
        draw(stores, name)
    assert stores.homes.due(NOW, report_id="") == []
    assert len(stores.homes.due(LATER, report_id="")) == 3


def test_who_has_looked_last_is_drawn_first(stores: AnyStores) -> None:
    people = [replace(ANALYST, slack_id=f"U{number:02}") for number in range(HOMES_AT_ONCE + 3)]
    for minute, person in enumerate(people):
        draw(stores, stores.homes.opened(person, NOW + minute * timedelta(minutes=1)))
    stores.homes.changed()
    later = NOW + timedelta(hours=1)
    first = stores.homes.due(later, report_id="")
    assert first == [f"T1/{person.slack_id}" for person in people[:2:-1]]
    for name in first:
        draw(stores, name, at=later)
    rest = stores.homes.due(later + HOME_EVERY, report_id="")
    assert rest == [f"T1/{person.slack_id}" for person in people[2::-1]], "and nobody is left out"


def test_nobody_elses_home_begins(stores: AnyStores) -> None:
    assert stores.homes.begin("T1/U9", NOW) is None
    home = stores.homes.begin(stores.homes.opened(ANALYST, NOW), NOW)
    assert home is not None
    assert home.person.slack_id == "U1"
    stores.homes.forget(home)
    assert stores.homes.begin(MINE, LATER) is None
    stores.homes.drawn(home, report_id="")


def ended(stores: AnyStores, name: str = "exec-1", status: PlaybookStatus = DONE) -> str:
    return stores.executions.create(an_execution(name, status=status), an_event()).execution_id


@pytest.mark.parametrize("status", PlaybookStatus, ids=lambda status: status.value)
def test_an_outcome_waits_to_be_told(stores: AnyStores, status: PlaybookStatus) -> None:
    name = ended(stores, status=status)
    assert stores.outcomes.untold(NOW) == ([name] if status in OUTCOMES else [])


def test_it_is_claimed_once_and_each_outcome_for_itself(stores: AnyStores) -> None:
    name = ended(stores)
    assert stores.outcomes.claim(name, DONE, NOW)
    assert not stores.outcomes.claim(name, DONE, NOW)
    assert stores.outcomes.untold(NOW + timedelta(days=9)) == []
    assert stores.outcomes.claim(name, PlaybookStatus.ROLLED_BACK, NOW)


def test_a_claim_given_back_is_due_when_it_says(stores: AnyStores) -> None:
    name = ended(stores)
    assert stores.outcomes.claim(name, DONE, NOW)
    stores.outcomes.put_off(name, DONE, until=LATER)
    assert stores.outcomes.untold(NOW) == []
    assert not stores.outcomes.claim(name, DONE, NOW)
    assert stores.outcomes.untold(LATER) == [name]
    assert stores.outcomes.claim(name, DONE, LATER)
    assert stores.outcomes.untold(LATER) == []
