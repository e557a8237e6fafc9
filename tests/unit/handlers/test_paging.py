"""Lists that are longer than a page: each is turned in place, by whoever asked, and reads no more than it shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.actor import Actor
from audit.errors import InputError
from audit.findings import Severity
from audit.trail import TrailEvent
from bot.sandbox import Message
from handlers.blocks.paging import Page, PageRef
from remediation.excepted import FindingException
from remediation.policy import Policy
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from tests.databases import stores_in_memory
from tests.fakes.samples import a_finding, an_event, an_execution
from tests.unit.handlers import cards
from tests.unit.handlers.batch_house import DOORS, ask, furnish
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import House
from tests.unit.handlers.test_waiting_rollbacks import asked

MANY = 25


@pytest.fixture
def kept(make_house: MakeHouse) -> House:
    """Return a house on a database."""
    return make_house(stores=stores_in_memory())


def wait(house: House, number: int, **changes: object) -> None:
    """Let a fix wait; those with lower numbers end first."""
    waiting = an_execution(
        f"x-{number:02}",
        finding=changes.pop("finding", a_finding(number)),
        created_at=house.now + timedelta(minutes=number),
        expires_at=house.now + timedelta(hours=1, minutes=number),
        holds=str(number),
        **changes,
    )
    house.stores.executions.create(waiting, an_event())


def crowd(house: House) -> None:
    for number in range(MANY):
        wait(house, number, playbook={"playbook_id": "CLOSE-DOOR", "name": "Close"})


def reports(house: House) -> None:
    for number in range(MANY):
        house.now += timedelta(minutes=1)
        house.ingest(a_finding(number), name=f"report-{number:02}.json")


def schedules(house: House) -> None:
    actor = Actor(workspace="T0DEMO", slack_id="U0ANA")
    house.command("ana", "/schedule daily 09:00")
    (first,) = house.stores.schedules.all()
    for number in range(1, MANY):
        made = replace(
            first, schedule_id=f"s-{number:02}", created_at=first.created_at + timedelta(minutes=number)
        )
        event = TrailEvent(kind="schedule.created", actor=actor, at=house.now, subject=made.schedule_id)
        house.stores.schedules.add(made, event)


def exceptions(house: House) -> None:
    owner = Actor(workspace="T0DEMO", slack_id="U0ANA")
    for number in range(MANY):
        before = house.stores.executions.create(an_execution(f"x-{number:02}", holds=str(number)), an_event())
        rejected = before.moved(PlaybookStatus.REJECTED)
        granted = FindingException(
            exception_id=f"e-{number:02}",
            execution_id=before.execution_id,
            finding=before.finding,
            owner=owner,
            reason="until the spring",
            granted_at=house.now,
            until=house.now + timedelta(days=1, minutes=number),
        )
        house.stores.exceptions.grant(before, rejected, granted, [an_event()])


LISTS: dict[str, tuple[Callable[[House], None], str, Callable[[int], str]]] = {
    "/playbook pending": (crowd, "Waiting for a decision:", lambda number: f"x-{number:02}"),
    "/playbook history": (crowd, "Fixes", lambda number: f"x-{MANY - 1 - number:02}"),
    "/playbook history CLOSE-DOOR": (
        crowd,
        "Fixes for CLOSE-DOOR",
        lambda number: f"x-{MANY - 1 - number:02}",
    ),
    "/playbook exceptions": (exceptions, "Exceptions", lambda number: f"e-{number:02}"),
    "/report list": (reports, "Reports", lambda number: f"report-{MANY - 1 - number:02}.json"),
    "/schedule list": (schedules, "Schedules", lambda number: f"s-{number:02}" if number else "09:00"),
}


def shows(page: Message, name: Callable[[int], str], first: int, last: int) -> None:
    """Expect exactly these entries, in their order."""
    places = [page.words.find(name(number)) for number in range(MANY)]
    shown = [number for number, place in enumerate(places) if place >= 0]
    assert shown == list(range(first, last + 1))
    assert sorted(places[first : last + 1]) == places[first : last + 1]


@pytest.mark.parametrize("typed", LISTS)
def test_a_long_list_is_turned_page_by_page_in_place(kept: House, typed: str) -> None:
    fill, title, name = LISTS[typed]
    fill(kept)
    before = len(kept.whispers("omar"))
    kept.command("omar", typed)
    first = kept.whisper("omar")
    assert f"{title} 1 to 10" in first.words
    assert first.action_ids == ("page_next",)
    if name(0) != "09:00":
        shows(first, name, 0, 9)

    kept.click("omar", first, "page_next")
    second = kept.whisper("omar")
    assert second.ts == first.ts, "in place"
    assert f"{title} 11 to 20" in second.words
    assert second.action_ids == ("page_previous", "page_next")
    if name(0) != "09:00":
        shows(second, name, 10, 19)

    kept.click("omar", second, "page_next")
    last = kept.whisper("omar")
    assert f"{title} 21 to 25" in last.words
    assert last.action_ids == ("page_previous",)
    kept.click("omar", last, "page_previous")
    assert f"{title} 11 to 20" in kept.whisper("omar").words
    assert len(kept.whispers("omar")) == before + 1
    assert not [card for card in kept.cards() if title in card.words], "nobody else saw it"


@pytest.mark.parametrize("typed", LISTS)
def test_a_page_that_is_no_more_leads_back(kept: House, typed: str) -> None:
    fill, _, _ = LISTS[typed]
    fill(kept)
    kept.command("omar", typed)
    first = kept.whisper("omar")
    ref = PageRef.parse(first.blocks[-2]["elements"][0]["value"])
    press(kept, first, replace(ref, offset=500))
    assert "There are no more" in kept.whisper("omar").words
    assert kept.whisper("omar").action_ids == ("page_previous",)


def press(house: House, page: Message, ref: PageRef) -> None:
    """Click on a page's button as if it said something else."""
    row = next(block for block in page.blocks if block["type"] == "actions")
    changed = [{**row["elements"][-1], "value": ref.value}]
    blocks = [{**block, "elements": changed} if block is row else block for block in page.blocks]
    with house.slack.state.change():
        house.slack.state.messages.edit(page.channel, page.ts, blocks=blocks)
    house.click("omar", replace(page, blocks=blocks), "page_next")


def test_a_list_that_nobody_knows_is_refused(kept: House) -> None:
    crowd(kept)
    kept.command("omar", "/playbook pending")
    press(kept, kept.whisper("omar"), PageRef("secrets"))
    assert "another version" in kept.whisper("omar").text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("severity:critical", ["x-01"]),
        ("account:999999999999", ["x-02"]),
        ("playbook:close-door", ["x-03"]),
        ("severity:critical,high account:123456789012", ["x-00", "x-01", "x-03"]),
        ("severity:low", []),
    ],
)
def test_what_waits_is_searched(kept: House, words: str, found: list[str]) -> None:
    wait(kept, 0)
    wait(kept, 1, finding=a_finding(severity=Severity.CRITICAL))
    wait(kept, 2, finding=a_finding(account_id="999999999999"))
    wait(kept, 3, playbook={"playbook_id": "CLOSE-DOOR", "name": "Close"})
    kept.command("otto", f"/playbook pending {words}")
    said = kept.whisper("otto").words
    assert [name for name in ("x-00", "x-01", "x-02", "x-03") if name in said] == found
    assert words.split(",", maxsplit=1)[0] in said, "it says what was asked for"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("mien", "Did you mean mine?"),
        ("severty:high", "Did you mean severity:critical?"),
        ("severity:hihg", "Did you mean high?"),
        ("region:eu-west-1", "There are mine, severity:critical"),
        ("playbook:", "needs a value"),
        ("account:", "needs a value"),
    ],
)
def test_words_that_are_none_are_answered_with_the_nearest(kept: House, typed: str, says: str) -> None:
    kept.command("otto", f"/playbook pending {typed}")
    assert says in kept.whisper("otto").words


def test_mine_is_what_whoever_asks_may_sign(make_house: MakeHouse) -> None:
    highs = Rule(severities=frozenset({Severity.HIGH}), approvers=frozenset({"U0PRIYA"}))
    policy = Policy(approver_groups=frozenset({"S0SEC"}), rules=(highs,))
    house = make_house(stores=stores_in_memory(), policy=policy)
    omar = replace(cards.OMAR, email="")
    for number in range(30):
        wait(house, number)
    wait(house, 40, finding=a_finding(severity=Severity.LOW))
    wait(house, 41, finding=a_finding(severity=Severity.LOW), requester=omar)
    for user, found in (("omar", ["x-40"]), ("otto", []), ("priya", [f"x-{n:02}" for n in range(10)])):
        house.command(user, "/playbook pending mine")
        said = house.whisper(user).words
        assert [f"x-{n:02}" for n in range(50) if f"x-{n:02}" in said] == found
        assert found or said == "Nothing waits that you may sign."
    house.click("priya", house.whisper("priya"), "page_next")
    assert "11 to 20 of 32" in house.whisper("priya").words, "hers, and the low ones"


def test_rollbacks_stand_on_the_first_page_and_nothing_is_left_out(make_house: MakeHouse) -> None:
    house = asked(make_house)
    for number in range(12):
        wait(house, number)
    house.command("priya", "/playbook pending")
    first = house.whisper("priya")
    assert "Rollbacks waiting for signatures" in first.words
    assert "1 to 5 of 12" in first.words
    house.click("priya", first, "page_next")
    second = house.whisper("priya")
    assert "Rollbacks waiting" not in second.words
    shown = [f"x-{n:02}" for n in range(12) if f"x-{n:02}" in second.words]
    assert shown == [f"x-{n:02}" for n in range(5, 12)]
    house.click("priya", second, "page_previous")
    assert "1 to 5 of 12" in house.whisper("priya").words


def test_a_batch_is_one_entry_of_a_page(house: House) -> None:
    furnish(house)
    ask(house, *DOORS)
    item = house.execution()
    for number in range(12):
        wait(house, number)
    house.command("omar", "/playbook pending")
    pages = [house.whisper("omar").words]
    assert "1 to 10 of 13" in pages[0]
    house.click("omar", house.whisper("omar"), "page_next")
    pages.append(house.whisper("omar").words)
    assert "11 to 13 of 13" in pages[1]
    assert sum(page.count(f"{item.batch_id}`") for page in pages) == 1
    assert "24 fixes wait in all" in pages[1]


def test_a_button_of_an_earlier_version_is_about_findings() -> None:
    assert PageRef.parse('[8, "severity:high"]') == PageRef("findings", ("severity:high",), 8)


@pytest.mark.parametrize("words", [(), ("severity:high", "<!channel>"), ('"', "\\", "ünï")])
def test_a_button_says_what_it_was_told(words: tuple[str, ...]) -> None:
    ref = PageRef("pending", words, 20)
    assert PageRef.parse(ref.value) == ref
    assert "<" not in ref.value


@pytest.mark.parametrize(
    "value",
    ["", "[]", "{}", "7", '["x"]', '["x", -1]', '["x", 1.5]', '["x", true]', '["x", 0, 1]', "[" * 9999],
)
def test_what_is_no_button_of_ours_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="not one of ours"):
        PageRef.parse(value)


def test_a_search_too_long_for_a_button_has_none() -> None:
    page = Page(ref=PageRef("findings", ("x" * 1600,)), items=[1], has_more=True, size=1)
    assert page.buttons() == []
