"""What waits is read on until enough is found: whatever stands before it, and however much of it is one batch."""

from dataclasses import replace
from datetime import timedelta

from audit.actor import Actor
from handlers.people import RememberedPeople
from remediation.execution import PlaybookExecution
from remediation.ports import Person
from tests.unit.handlers import cards
from tests.unit.handlers.batch_house import DOORS, ask, furnish
from tests.unit.handlers.house import House
from tests.unit.handlers.test_home import actions_of, look


def crowd(house: House, count: int, *, user: str) -> PlaybookExecution:
    """Let what `ana` asked for wait behind so many of somebody else's."""
    house.ask("ana")
    last = house.execution()
    requester = replace(last.requester, slack_id=house.slack.workspace.person(user).id)
    for number in range(count):
        ends = last.expires_at - timedelta(hours=1)
        mine = replace(last, execution_id=f"x-{number:06d}", requester=requester, expires_at=ends)
        house.stores.executions.by_id[mine.execution_id] = mine
    return last


def test_what_a_person_may_sign_is_found_behind_a_crowd(house: House) -> None:
    last = crowd(house, 1200, user="omar")
    view = look(house, "omar")
    assert actions_of(view).count("home_review") == 1
    assert last.execution_id in str(view.payload)
    assert "`/playbook pending mine`" not in str(view.payload)


def test_nobody_is_looked_up_for_what_no_rule_asks_them_about(house: House) -> None:
    house.ingest()
    look(house, "omar")
    assert not {"users.info", "usergroups.users.list"} & {call.method for call in house.slack.calls}


def test_a_home_shows_as_much_as_it_has_room_for(house: House) -> None:
    crowd(house, 60, user="otto")
    view = look(house, "omar")
    assert actions_of(view).count("home_review") == 20
    assert "There are more: `/playbook pending mine`" in str(view.payload)


def test_a_batch_is_one_entry(house: House) -> None:
    furnish(house)
    ask(house, *DOORS)
    item = house.execution()
    alone = replace(
        item, execution_id="x-alone", batch_id="", expires_at=item.expires_at + timedelta(hours=1)
    )
    house.stores.executions.by_id["x-alone"] = alone
    house.command("omar", "/playbook pending")
    said = house.whisper("omar")
    assert said.words.count(item.batch_id) == 1
    assert "12 at once" in said.words
    assert "x-alone" in said.words
    assert "There are more" not in said.words
    assert actions_of(look(house, "omar")).count("batch_changes") == 1
    assert actions_of(look(house, "omar")).count("home_review") == 1


def test_a_list_says_how_many_wait(house: House) -> None:
    crowd(house, 60, user="otto")
    house.command("omar", "/playbook pending")
    assert "61 fixes wait in all." in house.whisper("omar").words


def test_who_is_remembered_is_asked_about_groups_that_were_not_asked_about() -> None:
    asked: list[frozenset[str]] = []

    def look_up(groups: frozenset[str]) -> Person:
        asked.append(groups)
        return Person(actor=Actor(slack_id="U1"), groups=groups)

    people, one, other = RememberedPeople(), frozenset({"S1"}), frozenset({"S2"})
    for groups in (one, one, other, one, one | other):
        assert groups <= people.get(Actor(slack_id="U1"), groups, look_up, now=cards.AT).groups
    assert asked == [one, one | other]


def test_a_digest_counts_all_that_waits(house: House) -> None:
    crowd(house, 60, user="otto")
    house.command("ana", f"/schedule daily {house.now - timedelta(hours=1):%H:%M}")
    (schedule,) = house.stores.schedules.all()
    house.command("ana", f"/schedule run {schedule.schedule_id}")
    (digest,) = [each.words for each in house.cards() if "Security digest" in each.words]
    assert "*Waiting for approval*\n61" in digest
    assert "… and 51 more" in digest
