"""Many who decide at the same time read Slack's directory together, and each as it is after their click."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from slack_sdk import WebClient

from audit.actor import Actor
from audit.errors import RefusedError
from bot.sandbox import DEFAULT_WORKSPACE, SlackStandIn
from handlers.directory import SlackDirectory
from remediation.ports import Person
from remediation.states import PlaybookStatus
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import House

SEC = frozenset({"S0SEC"})
PATIENCE_S = 20
CROWD = 50
OMAR = Actor(workspace="T0DEMO", slack_id="U0OMAR")


@pytest.fixture
def directory(slack: SlackStandIn) -> SlackDirectory:
    return SlackDirectory(WebClient(slack.workspace.bot_token, base_url=slack.api_url), timeout_s=PATIENCE_S)


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CROWD) as pool:
        yield pool


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return what holds answers back, until the test opens it or is over."""
    event = threading.Event()
    yield event
    event.set()


def look_up(
    people: ThreadPoolExecutor, directory: SlackDirectory, actor: Actor = OMAR, groups: frozenset[str] = SEC
) -> "Future[Person]":
    return people.submit(directory.look_up, actor, groups=groups)


def leave_group(slack: SlackStandIn, who: str) -> None:
    groups = [
        replace(group, members=tuple(member for member in group.members if member != who))
        for group in slack.workspace.usergroups
    ]
    with slack.state.change():
        slack.state.workspace = replace(slack.workspace, usergroups=tuple(groups))


def test_fifty_at_once_ask_about_their_group_and_workspace_twice(
    people: ThreadPoolExecutor, gate: threading.Event
) -> None:
    omar = DEFAULT_WORKSPACE.person("omar")
    crowd = [replace(omar, id=f"U0CROWD{number}", name=f"crowd{number}") for number in range(CROWD)]
    workspace = replace(DEFAULT_WORKSPACE, people=(*DEFAULT_WORKSPACE.people, *crowd))
    with SlackStandIn.start(workspace) as slack:
        client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
        directory = SlackDirectory(client, timeout_s=PATIENCE_S)
        for method in ("auth.test", "usergroups.users.list"):
            slack.faults.add(method, until=gate)
        asked = [look_up(people, directory, replace(OMAR, slack_id=person.id)) for person in crowd]
        slack.wait_for(
            lambda: len(slack.calls_of("users.info")) == CROWD, PATIENCE_S
        )  # all of them are waiting
        gate.set()
        found = [each.result(PATIENCE_S) for each in asked]
        assert [person.actor.slack_id for person in found] == [person.id for person in crowd]
        assert len(slack.calls_of("auth.test")) == 2
        assert len(slack.calls_of("usergroups.users.list")) == 2


def test_an_answer_that_was_under_way_is_nobodys_who_asks_afterwards(
    directory: SlackDirectory, slack: SlackStandIn, people: ThreadPoolExecutor, gate: threading.Event
) -> None:
    slack.faults.add("usergroups.users.list", late_until=gate)
    earlier = look_up(people, directory)
    slack.wait_for(lambda: slack.calls_of("usergroups.users.list") and slack.calls_of("users.info"))
    leave_group(slack, "U0OMAR")
    later = look_up(people, directory)
    slack.wait_for(
        lambda: len(slack.calls_of("users.info")) == 2
    )  # it has joined the question about the group before
    gate.set()
    assert earlier.result(PATIENCE_S).groups == SEC
    assert later.result(PATIENCE_S).groups == frozenset()


def test_who_has_left_by_the_time_of_a_second_click_is_gone(
    directory: SlackDirectory, slack: SlackStandIn, people: ThreadPoolExecutor, gate: threading.Event
) -> None:
    slack.faults.add("users.info", late_until=gate)
    earlier = look_up(people, directory, groups=frozenset())
    slack.wait_for(lambda: slack.calls_of("users.info") and slack.calls_of("auth.test"))
    gone = [replace(p, deleted=True) if p.id == "U0OMAR" else p for p in slack.workspace.people]
    with slack.state.change():
        slack.state.workspace = replace(slack.workspace, people=tuple(gone))
    later = look_up(people, directory, groups=frozenset())
    slack.wait_for(lambda: len(slack.calls_of("auth.test")) == 2)
    gate.set()
    assert not earlier.result(PATIENCE_S).is_deleted
    assert later.result(PATIENCE_S).is_deleted


def test_groups_that_hang_keep_nobody_else_waiting(
    directory: SlackDirectory, slack: SlackStandIn, people: ThreadPoolExecutor, gate: threading.Event
) -> None:
    groups = frozenset(f"S0HANGS{number}" for number in range(12))
    slack.faults.add("usergroups.users.list", times=len(groups), until=gate)
    hanging = look_up(people, directory, groups=groups)
    slack.wait_for(lambda: not slack.faults.are_open)
    assert look_up(people, directory).result(PATIENCE_S).groups == SEC
    assert not hanging.done()
    gate.set()
    with pytest.raises(RefusedError, match="nothing was decided"):
        hanging.result(PATIENCE_S)


def test_an_error_is_each_ones_who_shares_the_question_and_nobodys_afterwards(
    directory: SlackDirectory, slack: SlackStandIn, people: ThreadPoolExecutor, gate: threading.Event
) -> None:
    slack.faults.add("usergroups.users.list", until=gate)
    earlier = look_up(people, directory)
    slack.wait_for(lambda: slack.calls_of("users.info"))
    slack.faults.add("usergroups.users.list", error="internal_error")
    meanwhile = [look_up(people, directory, replace(OMAR, slack_id=each)) for each in ("U0OTTO", "U0ANA")]
    slack.wait_for(lambda: len(slack.calls_of("users.info")) == 3)
    gate.set()
    assert earlier.result(PATIENCE_S).groups == SEC
    for each in meanwhile:
        with pytest.raises(RefusedError, match="nothing was decided"):
            each.result(PATIENCE_S)
    assert directory.look_up(OMAR, groups=SEC).groups == SEC


def test_a_second_click_is_not_decided_by_what_the_first_ones_reading_says(
    make_house: MakeHouse,
    directory: SlackDirectory,
    slack: SlackStandIn,
    people: ThreadPoolExecutor,
    gate: threading.Event,
) -> None:
    house: House = make_house()
    patient = replace(house.services.remediation, directory=directory)
    house.services = replace(house.services, remediation=patient)
    card = house.ask()
    slack.faults.add("usergroups.users.list", late_until=gate)
    earlier = look_up(people, directory)
    slack.wait_for(lambda: slack.calls_of("usergroups.users.list") and asked_about_omar(slack) == 1)
    leave_group(slack, "U0OMAR")
    clicked = people.submit(house.click, "omar", card, "approve")
    slack.wait_for(lambda: asked_about_omar(slack) == 2)
    gate.set()
    clicked.result(PATIENCE_S)
    assert earlier.result(PATIENCE_S).groups == SEC
    assert house.execution().status is PlaybookStatus.PENDING
    assert "not among the approvers" in house.whisper("omar").words


def asked_about_omar(slack: SlackStandIn) -> int:
    return sum(call.args["user"] == OMAR.slack_id for call in slack.calls_of("users.info"))
