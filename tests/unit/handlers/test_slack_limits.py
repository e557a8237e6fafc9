"""Slack's limits, met through the real client: who waits, who does not, and in which order."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.web import SlackResponse

from audit.actor import Actor
from bot.sandbox import SlackStandIn
from bot.sandbox.reaching import response_url
from handlers.blocks.parts import Message, section
from handlers.clients import make_brief, make_careful, make_impatient
from handlers.pacing import MOST_WAITING, Pace, wait_of
from handlers.replies import reply
from handlers.slack_client import Line, SlackClient
from remediation.ports import Request
from tests.endings import Later
from tests.unit.handlers.cards import AT

SECURITY, GENERAL = "C0SECURITY", "C0GENERAL"


@pytest.fixture
def slack(later: Later) -> Iterator[SlackStandIn]:
    running = SlackStandIn.start()
    yield running
    later(running.stop)


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


def test_a_refusal_that_is_no_limit_stops_nothing_that_comes_later(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    slack.faults.add("chat.postMessage", error="restricted_action")
    with pytest.raises(SlackApiError, match="restricted_action"):
        client.chat_postMessage(channel=SECURITY, text="one")
    client.chat_postMessage(channel=SECURITY, text="two")
    assert [outcome for _, outcome in seen] == ["refused", "ok"]
    assert texts(slack) == ["two"]


def test_a_limit_without_a_time_is_half_a_minute(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    slack.faults.add("chat.postMessage", status=429)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="ratelimited"):
            client.chat_postMessage(channel=SECURITY, text="one")
    assert len(seen) == 1


def test_what_names_its_channel_otherwise_is_limited_by_itself_too(
    slack: SlackStandIn, client: SlackClient
) -> None:
    limit(slack, seconds=600, method="files.completeUploadExternal")
    files = [{"id": "F0NONE", "title": "none"}]
    with pytest.raises(SlackApiError, match="ratelimited"):
        client.files_completeUploadExternal(files=files, channel_id=SECURITY)
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=files, channel_id=GENERAL)


def test_no_answer_is_counted_as_none_and_says_nothing_about_the_token(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    slack.faults.add("chat.postMessage", error="token_revoked")
    slack.faults.add("chat.postMessage", drop=True)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=SECURITY, text="one")
    with pytest.raises((OSError, HTTPException)):
        client.chat_postMessage(channel=SECURITY, text="two")
    assert [outcome for _, outcome in seen] == ["refused", "no_answer"]
    assert client.line.revoked == "token_revoked"


def told_to_wait(seconds: float) -> SlackApiError:
    answer = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data={"ok": False, "error": "ratelimited"},
        headers={"Retry-After": str(seconds)},
        status_code=429,
    )
    return SlackApiError("ratelimited", answer)


def test_the_longer_of_two_limits_holds() -> None:
    """Two calls are under way at once; the one that is answered last was told of the shorter wait."""
    pace, asked = Pace(), []

    def other() -> None:
        raise told_to_wait(600)

    def one() -> None:
        asked.append("one")
        with pytest.raises(SlackApiError):
            pace.call(("m", "c"), other, patience_s=0)
        raise told_to_wait(0)

    with pytest.raises(SlackApiError):
        pace.call(("m", "c"), one, patience_s=5)
    assert asked == ["one"]


def test_who_stands_behind_a_slow_call_gives_up_when_patience_ends() -> None:
    pace, calling, let_go, asked = Pace(), threading.Event(), threading.Event(), []

    def slow() -> None:
        asked.append("slow")
        if len(asked) == 1:
            raise told_to_wait(0)
        calling.set()
        assert let_go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(pace.call, ("m", "c"), slow, patience_s=30)
        assert calling.wait(30)
        with pytest.raises(SlackApiError):
            pace.call(("m", "c"), lambda: asked.append("behind"), patience_s=0.1)
        let_go.set()
        first.result(30)
    assert asked == ["slow", "slow"]


def test_a_wait_is_read_in_any_spelling() -> None:
    error = told_to_wait(7)
    assert wait_of(error) == 7
    error.response.headers = {"retry-after": ["3"]}
    assert wait_of(error) == 3
    error.response.headers = {"Retry-After": "-5"}
    assert wait_of(error) == 0
    error.response.headers = {"Retry-After": "soon"}
    assert wait_of(error) == 30


@pytest.mark.parametrize("said", ["86400", "1e300", "inf", "nan"])
def test_nobody_waits_longer_than_an_hour(said: str) -> None:
    error = told_to_wait(7)
    error.response.headers = {"Retry-After": said}
    assert 0 <= wait_of(error) <= 3600


def test_a_client_for_careful_work_repeats_nothing_that_may_have_arrived(slack: SlackStandIn) -> None:
    handlers = [ConnectionErrorRetryHandler(max_retry_count=2), ServerErrorRetryHandler(max_retry_count=2)]
    client = SlackClient(
        line=Line(), token=slack.workspace.bot_token, base_url=slack.api_url, retry_handlers=handlers
    )
    slack.faults.add("chat.postMessage", drop_after=True)
    with pytest.raises((OSError, HTTPException)):
        make_careful(client).chat_postMessage(channel=SECURITY, text="once")
    assert texts(slack) == ["once"]


def test_an_impatient_and_a_brief_client_do_not_wait_a_limit_out(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    limit(slack, seconds=5)
    with pytest.raises(SlackApiError, match="ratelimited"):
        make_impatient(client, timeout_s=5).chat_postMessage(channel=SECURITY, text="one")
    with pytest.raises(SlackApiError, match="ratelimited"):
        make_brief(client).chat_postMessage(channel=SECURITY, text="two")
    assert len(seen) == 1


def test_each_who_meets_a_limit_gets_an_error_of_their_own() -> None:
    pace, errors = Pace(), list[SlackApiError]()

    def limited() -> None:
        raise told_to_wait(600)

    for _ in range(3):
        with pytest.raises(SlackApiError, match="ratelimited") as refused:
            pace.call(("m", "c"), limited, patience_s=0)
        errors.append(refused.value)
    assert len({id(error) for error in errors}) == 3
    assert {error.response.status_code for error in errors} == {429}
    assert len({str(error) for error in errors[1:]}) == 1


def test_a_limit_that_nobody_waited_out_is_forgotten_once_it_is_over() -> None:
    pace = Pace()

    def limited() -> None:
        raise told_to_wait(0.05)

    with pytest.raises(SlackApiError):
        pace.call(("m", "one"), limited, patience_s=0)
    assert len(pace) == 1
    until = time.monotonic() + 30
    while len(pace):
        assert time.monotonic() < until, "it is kept for ever"
        pace.call(("m", "another"), lambda: None, patience_s=0)


ANSWER = Message("for your eyes only", (section("all of it"),))


def answer_by_url(slack: SlackStandIn, client: SlackClient) -> list[str]:
    """Answer a request by its `response_url`; return what the person sees."""
    slack.state.response_urls["once"] = response_url(slack.workspace.person("ana"), SECURITY, None)
    asked = Request(
        request_id="q-1",
        kind="command",
        actor=Actor(workspace="T0DEMO", slack_id="U0ANA"),
        received_at=AT,
        payload={"channel_id": SECURITY},
    )
    reply(client, asked, ANSWER, url=f"{slack.base_url}/response/once")
    return [message.words for message in slack.messages("#security", as_user="ana")]


def test_an_answer_waits_as_long_as_slack_says_and_comes_whole_and_once(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    limit(slack, seconds=1, method="response")
    began = time.monotonic()
    assert answer_by_url(slack, client) == ["all of it"]
    assert time.monotonic() - began >= 1, "not a moment before"
    assert seen == [], "by no other way"
    assert len(client.line.pace) == 0


def test_an_answer_that_slack_puts_off_for_long_takes_another_way_and_asks_no_more(
    slack: SlackStandIn, client: SlackClient, seen: list[tuple[str, str]]
) -> None:
    limit(slack, seconds=600, method="response")
    assert answer_by_url(slack, client) == ["all of it"]
    assert answer_by_url(slack, client) == ["all of it"] * 2
    assert seen == [("chat.postEphemeral", "ok")] * 2


def test_whose_answer_somebody_waits_for_does_not_step_back(slack: SlackStandIn) -> None:
    stepped: list[str] = []
    line = Line(give_way=lambda: stepped.append("back"))
    client = SlackClient(line=line, token=slack.workspace.bot_token, base_url=slack.api_url)
    client.auth_test()
    slack.faults.add("auth.test", error="internal_error")
    with pytest.raises(SlackApiError):
        client.auth_test()
    assert len(stepped) == 2, "after each call, however it ended"
    make_impatient(client, timeout_s=5).auth_test()
    assert len(stepped) == 2
