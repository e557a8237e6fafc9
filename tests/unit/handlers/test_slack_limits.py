"""Slack's limits, met through the real client: who waits, who does not, and in which order."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import SlackStandIn
from handlers.clients import make_brief, make_careful, make_impatient
from handlers.pacing import MOST_WAITING
from handlers.slack_client import Line, SlackClient

SECURITY, GENERAL = "C0SECURITY", "C0GENERAL"


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start() as running:
        yield running


@pytest.fixture
def seen() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def client(slack: SlackStandIn, seen: list[tuple[str, str]]) -> SlackClient:
    line = Line(observe=lambda method, outcome: seen.append((method, outcome)))
    logger = logging.getLogger("limits")
    logger.setLevel(logging.CRITICAL)
    return SlackClient(
        line=line,
        token=slack.workspace.bot_token,
        base_url=slack.api_url,
        timeout=5,
        retry_handlers=[],
        logger=logger,
    )


def limit(slack: SlackStandIn, *, seconds: int, times: int = 1, method: str = "chat.postMessage") -> None:
    slack.faults.add(method, times, status=429, retry_after=seconds)


def texts(slack: SlackStandIn, channel: str = SECURITY) -> list[str]:
    return [message.text for message in slack.messages(channel)]


def test_it_waits_as_long_as_slack_says_and_counts_each_call(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    limit(slack, seconds=1)
    client.chat_postMessage(channel=SECURITY, text="one")
    assert texts(slack) == ["one"]
    assert seen == [("chat.postMessage", "ratelimited"), ("chat.postMessage", "ok")]
    assert len(client.line.pace) == 0


def test_a_limit_longer_than_its_patience_is_told_and_slack_is_not_asked_again(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    limit(slack, seconds=600)
    for _ in range(3):
        with pytest.raises(SlackApiError, match="ratelimited"):
            client.chat_postMessage(channel=SECURITY, text="one")
    assert seen == [("chat.postMessage", "ratelimited")]


def test_one_limited_channel_stops_no_other_and_no_other_method(
    slack: SlackStandIn, client: SlackClient
) -> None:
    posted = client.chat_postMessage(channel=SECURITY, text="before")
    limit(slack, seconds=600)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=SECURITY, text="limited")
    client.chat_postMessage(channel=GENERAL, text="elsewhere")
    client.chat_update(channel=SECURITY, ts=posted["ts"], text="edited")
    assert texts(slack) == ["edited"]
    assert texts(slack, GENERAL) == ["elsewhere"]


@pytest.mark.parametrize(
    "make", [make_brief, make_careful, lambda client: make_impatient(client, timeout_s=5)]
)
def test_clients_made_of_it_know_the_same_limits(
    slack: SlackStandIn,
    client: SlackClient,
    seen: list[tuple[str, str]],
    make: Callable[[SlackClient], WebClient],
) -> None:
    limit(slack, seconds=600)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=SECURITY, text="one")
    with pytest.raises(SlackApiError):
        make(client).chat_postMessage(channel=SECURITY, text="two")
    assert len(seen) == 1


def test_what_comes_later_is_posted_later(slack: SlackStandIn, client: SlackClient) -> None:
    limit(slack, seconds=2)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        asked = []
        for number in range(MOST_WAITING):
            asked.append(pool.submit(client.chat_postMessage, channel=SECURITY, text=str(number)))
            wait_for_queue(client, number + 1)
        for each in asked:
            each.result(10)
    assert texts(slack) == [str(number) for number in range(MOST_WAITING)]
    assert len(client.line.pace) == 0


def wait_for_queue(client: SlackClient, length: int) -> None:
    pace, until = client.line.pace, time.monotonic() + 5
    with pace._changed:
        while not (queue := pace._queues.get(("chat.postMessage", SECURITY))) or len(queue.waiting) < length:
            assert time.monotonic() < until, "the machine is too slow for this test"
            pace._changed.wait(0.01)


def test_not_all_threads_wait_for_one_channel(slack: SlackStandIn, client: SlackClient) -> None:
    limit(slack, seconds=2)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        asked = []
        for number in range(MOST_WAITING):
            asked.append(pool.submit(client.chat_postMessage, channel=SECURITY, text="x"))
            wait_for_queue(client, number + 1)
        with pytest.raises(SlackApiError, match="ratelimited"):
            client.chat_postMessage(channel=SECURITY, text="one too many")
        for each in asked:
            each.result(10)
    assert texts(slack) == ["x"] * MOST_WAITING


def test_a_token_that_is_revoked_is_noted_until_it_works_again(
    slack: SlackStandIn, client: SlackClient
) -> None:
    slack.faults.add("chat.postMessage", error="token_revoked")
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=SECURITY, text="one")
    assert client.line.revoked == "token_revoked"
    client.auth_test()
    assert client.line.revoked == ""
