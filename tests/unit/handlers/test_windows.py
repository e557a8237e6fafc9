"""A Slack that takes its time: whoever clicks or types is acknowledged all the same, and the window comes when it comes."""

import threading
from collections.abc import Callable, Iterator

import pytest

from audit.errors import TrailError
from bot.sandbox import Message, View
from remediation.ports import Request
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import CHANNEL, House
from tests.unit.handlers.test_emergency import BREAKABLE
from tests.unit.handlers.test_home import look


class Play:
    """Somebody's card, somebody's home, somebody's open form; and a Slack that answers nothing until it is let go."""

    def __init__(self, make_house: MakeHouse) -> None:
        self.house = make_house(policy=BREAKABLE)
        self.card, self.home = self.house.ask(), look(self.house, "omar")
        self.house.slack.click("priya", self.card, "reject")
        self.form = self.house.window("priya")
        self.house.slack.wait_for(lambda: self.house.slack.calls_of("views.open"))
        self.done = len(self.house.slack.calls)
        self.let_go = threading.Event()
        self.house.slack.faults.add("*", times=100, until=self.let_go)

    def click(self, action_id: str, *, user: str = "omar", on: Message | View | None = None) -> bool:
        return self.house.slack.click(user, on or self.card, action_id).ok

    def type(self, text: str) -> bool:
        return self.house.slack.command(user="ana", channel=CHANNEL, text=text).ok


@pytest.fixture
def play(make_house: MakeHouse) -> Iterator[Play]:
    play = Play(make_house)
    yield play
    play.let_go.set()


OPENS: dict[str, Callable[[Play], bool]] = {
    "bare /report": lambda play: play.type("/report"),
    "bare /playbook": lambda play: play.type("/playbook"),
    "a card's Reject": lambda play: play.click("reject"),
    "a card's Break glass": lambda play: play.click("break_glass"),
    "a home's Review": lambda play: play.click("home_review", on=play.home),
}
OTHERS: dict[str, Callable[[Play], bool]] = {
    "a command": lambda play: play.type("/report list"),
    "Approve": lambda play: play.click("approve"),
    "a form": lambda play: play.house.slack.submit_view("priya", play.form, {"reason": "Not today"}).ok,
    "a home": lambda play: play.house.slack.open_home("otto").ok,
}


@pytest.mark.parametrize("what", [*OPENS, *OTHERS])
def test_no_acknowledgement_waits_for_slack(play: Play, what: str) -> None:
    assert (OPENS | OTHERS)[what](play)
    assert len(play.house.slack.calls) == play.done, "Slack has answered nothing yet"


@pytest.mark.parametrize("what", OPENS)
def test_the_window_opens_once_slack_answers(play: Play, what: str) -> None:
    shown = len(play.house.slack.views("omar")) + len(play.house.slack.views("ana"))
    assert OPENS[what](play)
    play.let_go.set()
    slack = play.house.slack
    slack.wait_for(lambda: len(slack.views("omar")) + len(slack.views("ana")) > shown)


def test_an_error_is_acknowledged_and_told_when_slack_answers(play: Play) -> None:
    def put(_request: Request) -> None:
        raise TrailError("the database is full")

    object.__setattr__(play.house.services.inbox, "put", put)
    assert play.type("/report list")
    assert not play.house.whispers("ana") or "full" not in play.house.whisper("ana").text
    play.let_go.set()
    play.house.slack.wait_for(lambda: "The database is full." in play.house.whisper("ana").text)


def test_the_first_request_is_acknowledged_though_slack_answers_nothing(house: House) -> None:
    house.slack.faults.add("*", times=100, drop=True)
    assert house.slack.command(user="ana", channel=CHANNEL, text="/report list").ok
    assert len(house.open_requests()) == 1
    assert house.slack.calls == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("missing_scope", "reinstall it from"),
        ("view_too_large", "Slack did not take it (view_too_large)"),
        (
            "expired_trigger_id",
            "Slack did not open the window in time, so nothing was decided. Click once more.",
        ),
    ],
)
def test_a_window_that_slack_refuses_is_told_as_what_it_is(house: House, code: str, words: str) -> None:
    card = house.ask()
    house.slack.faults.add("views.open", error=code)
    assert house.slack.click("omar", card, "reject").ok
    said = house.told("omar").text
    assert words in said
    assert ("in time" in said) is (code == "expired_trigger_id")
