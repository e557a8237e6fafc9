"""Where Slack does not let us speak: somebody who can mend it is told once, and nothing is tried for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.actor import Actor
from bot.sandbox import SlackStandIn
from handlers.blocks.parts import Message, section
from handlers.drawing import draw
from handlers.replies import reply
from handlers.requests import request_id_of
from remediation.ports import Request
from tests.fakes.samples import NOW
from tests.unit.handlers import cards
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import House
from tests.unit.handlers.test_drawing import ID, change, due, put

MOST_DRAWINGS = 30
GONE_FROM_CHANNEL = ("not_in_channel", "channel_not_found", "is_archived", "missing_scope")


def told(house: House, user: str = "ana") -> list[str]:
    return [message.text for message in house.slack.messages(house.slack.dm(user), as_user=user)]


def fail_updates(slack: SlackStandIn, code: str, times: int = 1) -> None:
    slack.faults.add("chat.update", times, error=code)


@pytest.mark.parametrize("code", GONE_FROM_CHANNEL)
def test_a_card_that_can_be_edited_no_longer_is_told_once(house: House, code: str) -> None:
    put(house)
    draw(house.services, ID)
    fail_updates(house.slack, code, times=9)
    change(house, decisions=(cards.APPROVAL,))
    draw(house.services, ID)
    for _ in range(MOST_DRAWINGS):
        house.now += timedelta(hours=1)
        if not due(house):
            break
        fail_updates(house.slack, code, times=9)
        draw(house.services, ID)
    else:
        pytest.fail("it is tried for ever")
    assert len(told(house)) == 1
    assert "could not be brought up to date" in told(house)[0]


def test_and_not_told_again_when_something_changes(house: House) -> None:
    put(house)
    draw(house.services, ID)
    fail_updates(house.slack, "is_archived", times=9)
    change(house, decisions=(cards.APPROVAL,))
    draw(house.services, ID)
    house.slack.faults.clear()
    house.slack.faults.add("conversations.history", 9, error="is_archived")
    house.slack.faults.add("chat.postMessage", 1, error="is_archived")
    change(house, error="something")
    draw(house.services, ID)
    assert len(told(house)) == 1


def test_what_was_asked_for_at_a_shell_is_told_in_the_configured_channel(make_house: MakeHouse) -> None:
    house = make_house(channel="C0GENERAL")
    put(house, cards.pending(requester=Actor(origin="cli", email="ana@northwind.example")))
    house.slack.faults.add("chat.postMessage", 1, error="is_archived")
    draw(house.services, ID)
    assert "could not be posted" in house.cards("#general")[-1].text


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
def test_progress_whose_blocks_are_refused_is_posted_in_plain_words(house: House, code: str) -> None:
    put(house, cards.pending(decisions=(cards.APPROVAL,)))
    draw(house.services, ID)
    card = house.card()
    before = len(house.replies(card))
    started = replace(house.stores.executions.get(ID), actions=(cards.DONE,))
    house.slack.faults.add("chat.postMessage", 1, error=code)
    change(house, actions=started.actions)
    draw(house.services, ID)
    replies = house.replies(card)
    assert len(replies) >= max(1, before)
    assert replies[-1].text


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long"])
def test_an_answer_whose_blocks_are_refused_arrives_in_plain_words(house: House, code: str) -> None:
    request = Request(
        request_id="q-1",
        kind="command",
        actor=Actor(workspace="T0DEMO", slack_id="U0ANA"),
        received_at=NOW,
        payload={"channel_id": "C0SECURITY"},
    )
    house.slack.faults.add("chat.postEphemeral", 1, error=code)
    reply(house.client, request, Message("Four findings fail.", (section("*Four* findings fail."),)))
    assert house.whisper("ana").text == "Four findings fail."


def test_a_repeated_event_is_the_same_request() -> None:
    event = {"event_id": "Ev00000001", "type": "event_callback"}
    assert request_id_of("event", event) == request_id_of("event", dict(event))
    assert request_id_of("event", event) != request_id_of("event", event | {"event_id": "Ev00000002"})
