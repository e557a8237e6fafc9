"""What people are told when something goes wrong, and what stands in the log."""

import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from audit.errors import (
    Cause,
    ConfigError,
    CountersignError,
    InputError,
    NotFoundError,
    PermanentActionError,
    RefusedError,
    StateError,
    TrailError,
)
from bot.sandbox import SlackStandIn
from handlers.errors import to_words
from remediation.ports import Request
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import House
from tests.unit.handlers.test_home import look


@pytest.mark.parametrize(
    "kind", [InputError, NotFoundError, ConfigError, RefusedError, StateError, TrailError]
)
def test_our_own_errors_are_told_in_their_words(kind: type[CountersignError]) -> None:
    assert to_words(kind("no <!here> & now")).text == "No &lt;!here&gt; &amp; now."


def test_an_actions_error_tells_the_next_step() -> None:
    error = PermanentActionError("may not read it", cause=Cause.DENIED, request_id="R1")
    assert to_words(error).text.startswith("May not read it (request R1). Next: ")


def test_people_are_mentioned_in_refusals_only() -> None:
    assert to_words(RefusedError("ask @U0OMAR")).text == "Ask <@U0OMAR>."
    assert to_words(InputError("ask @U0OMAR")).text == "Ask @U0OMAR."


def test_a_bug_is_a_reference_that_stands_in_the_log() -> None:
    with capture_logs() as logs:
        said = to_words(ZeroDivisionError("the password is swordfish")).text
    reference = re.fullmatch(
        r"Something went wrong on our side\. Reference ([0-9a-f]{8}): tell it to .+", said
    )
    assert reference
    assert [entry["reference"] for entry in logs] == [reference[1]]


class Broken:
    """An inbox that cannot be written to."""

    def put(self, request: Request) -> None:
        raise TrailError("the database is full")


@pytest.fixture
def broken_house(make_house: MakeHouse, slack: SlackStandIn) -> House:
    house = make_house()
    house.ask()
    object.__setattr__(house.services.inbox, "put", Broken().put)
    return house


def test_a_command_that_could_not_be_written_down_is_answered(broken_house: House) -> None:
    assert broken_house.slack.command(user="otto", channel="#security", text="/report list").ok
    assert "The database is full." in broken_house.told("otto").text


def test_a_click_that_could_not_be_written_down_is_answered(broken_house: House) -> None:
    assert broken_house.slack.click("omar", broken_house.card(), "approve").ok
    assert "The database is full." in broken_house.told("omar").text


def test_a_form_that_could_not_be_written_down_stays_open_and_says_so(broken_house: House) -> None:
    broken_house.slack.click("omar", broken_house.card(), "reject")
    form = broken_house.window("omar")
    outcome: Any = broken_house.slack.submit_view("omar", form, {"reason": "not today"})
    assert outcome.errors == {"reason": "The database is full."}


def test_an_answered_request_is_not_answered_again(house: House) -> None:
    request_id = house.put_command("/report", {"text": "list", "trigger_id": "1", "channel_id": "C0SECURITY"})
    house.work()
    house.do("request", request_id)
    assert len(house.whispers("ana")) == 1
    assert house.open_requests() == []


def test_a_request_of_a_kind_from_another_version_is_answered_and_done(house: House) -> None:
    request_id = house.put_command("/nonsense", {"text": "", "trigger_id": "1", "channel_id": "C0SECURITY"})
    house.work()
    assert "no command /nonsense" in house.whisper("ana").text
    assert house.stores.inbox.get(request_id) is None


def test_a_window_without_fields_gives_way_to_the_words(broken_house: House) -> None:
    home = look(broken_house, "omar")
    assert broken_house.slack.click("omar", home, "home_review").ok
    shown = broken_house.window("omar")
    assert broken_house.slack.submit_view("omar", shown).accepted
    [view] = broken_house.slack.views("omar")
    assert "The database is full." in str(view.blocks)
