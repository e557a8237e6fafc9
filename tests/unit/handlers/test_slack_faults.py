"""Slack refuses, stalls or breaks at each call of a fix's life: the state is right all the same, and the card catches up.

A life is played once to learn its calls; then it is played again for each of them and each way that it can go wrong.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sandbox import SlackStandIn
from remediation.states import PlaybookStatus
from tests.unit.handlers.house import DOOR, House, serving

FAULTS: dict[str, dict[str, object]] = {
    "429": {"status": 429, "retry_after": 0, "times": 3},
    "500": {"status": 500},
    "not answered": {"drop": True},
    "answer lost": {"drop_after": True},
    "not in channel": {"error": "not_in_channel"},
    "channel not found": {"error": "channel_not_found"},
    "archived": {"error": "is_archived"},
    "too long": {"error": "msg_too_long"},
    "invalid blocks": {"error": "invalid_blocks"},
}
METHODS = ("chat.postMessage", "chat.update", "conversations.history", "conversations.replies")
# What a fix's life takes, as `test_the_life_of_a_fix` counts it: card and thread, words to who asked, the look before a reply.
CALLS = [("chat.postMessage", 4), ("chat.update", 5), ("conversations.replies", 1)]
CASES = [(method, number) for method, times in CALLS for number in range(times)]


@contextmanager
def a_house(slack: SlackStandIn) -> Iterator[House]:
    house = House(slack)
    with serving(house.app) as slack.bot_url:
        yield house


def catch_up(house: House) -> None:
    """Let a sweep draw what is behind, once all waits are over."""
    house.work_off()
    house.now += timedelta(hours=2)
    for execution_id in house.stores.postings.outdated(house.now):
        house.hands.submit("draw", execution_id)
    house.work_off()


def live(house: House) -> None:
    """Ask, approve and put back; after each the card has caught up, whatever Slack did in between."""
    house.ingest()
    assert house.slack.command(
        user="ana", channel="#security", text=f"/playbook run CLOSE-DOOR {DOOR.handle}"
    ).ok
    house.work()
    check(house, PlaybookStatus.PENDING, "open", ("approve", "reject"))
    assert house.slack.click("omar", house.card(), "approve").ok
    house.work()
    check(house, PlaybookStatus.COMPLETED, "closed", ("rollback",))
    assert house.slack.click("priya", house.card(), "rollback").ok
    house.work()
    check(house, PlaybookStatus.ROLLED_BACK, "open", ())


def check(house: House, status: PlaybookStatus, door: str, buttons: tuple[str, ...]) -> None:
    """Hold the state to what it would be without any fault, before and after Slack is back; then the one card to it."""
    assert house.execution().status is status
    assert house.board.switches == {"door": door}
    catch_up(house)
    if "could not be shown in full" in house.card().words and not house.slack.faults.are_open:
        # Slack took no blocks for this version: words without buttons, until the next change. Draw it anew for the click.
        redraw(house)
    assert house.execution().status is status
    assert len(house.cards()) == 1
    assert house.card().action_ids == buttons
    told = [
        reply for reply in house.replies(house.card()) if not reply.files
    ]  # a refused card's plan is a file beside it
    assert len(told) == (status is not PlaybookStatus.PENDING)
    (posting,) = house.stores.postings.postings(house.execution().execution_id)
    assert posting.drawn_version == house.execution().version


def redraw(house: House) -> None:
    """Let the next drawing happen that a change would bring."""
    (posting,) = house.stores.postings.postings(house.execution().execution_id)
    house.stores.postings.put(replace(posting, drawn_version=0))
    catch_up(house)


def test_the_life_of_a_fix(slack: SlackStandIn) -> None:
    with a_house(slack) as house:
        live(house)
    made = [call.method for call in slack.calls]
    assert [(method, made.count(method)) for method in METHODS] == [
        *CALLS[:2],
        ("conversations.history", 0),
        *CALLS[2:],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "number"), CASES, ids=str)
def test_slack_fails_at(slack: SlackStandIn, fault: str, method: str, number: int) -> None:
    with a_house(slack) as house:
        slack.faults.add(method, after=number, **{"times": 1, **FAULTS[fault]})  # type: ignore[arg-type]
        live(house)
        assert not slack.faults.are_open, "nothing went wrong"


# The ways to a person who alone is to see an answer, in the order in which they are tried; each breaks as it can break.
WAYS = ("response", "chat.postEphemeral", "chat.postMessage")
NO_WAY = {
    "response": ("429", "500"),
    "chat.postEphemeral": ("500", "not in channel", "channel not found", "archived"),
    "chat.postMessage": ("429", "500", "not answered", "archived", "too long"),
}
PRIVATE = [(broken, fault) for broken in range(1, 4) for fault in NO_WAY[WAYS[broken - 1]]]


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "fault"), PRIVATE)
def test_a_private_no_takes_the_next_way(slack: SlackStandIn, broken: int, fault: str) -> None:
    with a_house(slack) as house:
        card = house.ask()
        for way in WAYS[: broken - 1]:
            slack.faults.add(way, status=500)
        times = 1 if broken == 1 else FAULTS[fault].get("times", 1)  # a response_url is used once
        slack.faults.add(WAYS[broken - 1], **{**FAULTS[fault], "times": times})  # type: ignore[arg-type]
        house.click("ana", card, "approve")
        assert not slack.faults.are_open, "nothing went wrong"
        assert house.execution().status is PlaybookStatus.PENDING
        assert house.open_requests() == []
        assert house.board.switches == {"door": "open"}
        told = [*house.whispers("ana"), *slack.messages("@ana")]
        said = [message for message in told if "somebody else has to approve" in message.text]
        # What is too long is said once more in plain words, the same way.
        assert len(said) == (broken < len(WAYS) or fault == "too long")
        assert house.card().action_ids == ("approve", "reject")
