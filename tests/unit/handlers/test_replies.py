"""Private answers, file uploads, and where they may go."""

import hashlib
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, ServerErrorRetryHandler

from audit.actor import Actor
from audit.errors import CountersignError, InputError, UnavailableError
from bot.sandbox import SlackStandIn
from bot.sandbox.reaching import response_url
from exporters.ports import ExportedFile
from handlers.blocks.parts import Message
from handlers.delivery import SlackDelivery
from handlers.posting import tell
from handlers.replies import reply
from handlers.slack_errors import may_have_arrived
from handlers.slack_urls import is_slack_url
from remediation.ports import Request
from tests.fakes.elsewhere import Elsewhere, serving_elsewhere
from tests.unit.handlers.cards import AT

API = "https://slack.com/api/"
LOCAL = "http://127.0.0.1:4000/api/"


@pytest.mark.parametrize(
    ("url", "api", "expected"),
    [
        ("https://hooks.slack.com/commands/1", API, True),
        ("https://files.slack.com/upload/v1/x", API, True),
        ("https://hooks.slack-gov.com/x", "https://slack-gov.com/api/", True),
        ("http://hooks.slack.com/x", API, False),
        ("https://hooks.slack.com.evil.example/x", API, False),
        ("https://evilslack.com/x", API, False),
        ("https://hooks.slack.com@evil.example/x", API, False),
        ("https://evil.example/.slack.com", API, False),
        ("http://169.254.169.254/latest", API, False),
        ("file:///etc/passwd", API, False),
        ("", API, False),
        ("http://127.0.0.1:4000/response/x", LOCAL, True),
        ("http://127.0.0.1:4001/response/x", LOCAL, False),
        ("https://127.0.0.1:4000/response/x", LOCAL, False),
        ("http://127.0.0.1:4000/response/x", API, False),
    ],
)
def test_where_answers_may_go(url: str, api: str, *, expected: bool) -> None:
    assert is_slack_url(url, api_url=api) is expected


def ask() -> Request:
    payload = {"channel_id": "C0SECURITY"}
    actor = Actor(workspace="T0DEMO", slack_id="U0ANA")
    return Request(request_id="q-1", kind="command", actor=actor, received_at=AT, payload=payload)


@pytest.mark.parametrize("url", ["", "http://169.254.169.254/x", "gone"])
def test_without_a_usable_response_url_the_channel_is_used(slack: SlackStandIn, url: str) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    where = f"{slack.base_url}/response/gone" if url == "gone" else url
    reply(client, ask(), Message("for your eyes only"), url=where)
    (seen,) = slack.messages("#security", as_user="ana")
    assert (seen.text, seen.only_for) == ("for your eyes only", "U0ANA")


def test_an_answer_that_nobody_takes_is_not_the_end(slack: SlackStandIn) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    slack.faults.add("chat.postEphemeral", error="user_not_in_channel")
    slack.faults.add("chat.postMessage", error="restricted_action")
    reply(client, ask(), Message("for your eyes only"))
    assert slack.messages("#security", as_user="ana") == slack.messages("@ana") == ()


def eager_client(slack: SlackStandIn) -> WebClient:
    """Return a client that repeats what got no answer, as the bot's does."""
    handlers = [ConnectionErrorRetryHandler(max_retry_count=2), ServerErrorRetryHandler(max_retry_count=2)]
    return WebClient(slack.workspace.bot_token, base_url=slack.api_url, retry_handlers=handlers)


@pytest.mark.parametrize("way", [0, 1, 2])
def test_an_answer_that_may_have_arrived_is_not_given_another_way(slack: SlackStandIn, way: int) -> None:
    slack.state.response_urls["once"] = response_url(slack.workspace.person("ana"), "C0SECURITY", None)
    ways = ("response", "chat.postEphemeral", "chat.postMessage")
    for broken in ways[:way]:
        slack.faults.add(broken, status=500)
    slack.faults.add(ways[way], drop_after=True)
    reply(eager_client(slack), ask(), Message("for your eyes only"), url=f"{slack.base_url}/response/once")
    told = [*slack.messages("#security", as_user="ana"), *slack.messages("@ana")]
    assert [message.text for message in told] == ["for your eyes only"]


def test_what_was_never_sent_has_not_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(URLError) as refused:
        urlopen(nobody)
    assert not may_have_arrived(refused.value)
    assert may_have_arrived(URLError(TimeoutError()))


@pytest.mark.parametrize(("fault", "arrived"), [({"drop_after": True}, 1), ({"status": 500}, 0)])
def test_words_to_a_channel_are_not_repeated_blindly(
    slack: SlackStandIn, fault: dict[str, Any], arrived: int
) -> None:
    slack.faults.add("chat.postMessage", **fault)
    tell(eager_client(slack), Actor(workspace="T0DEMO", slack_id="U0ANA"), "look here")
    assert len(slack.messages("@ana")) == arrived


def test_where_we_are_no_member_the_answer_comes_to_our_own_conversation(slack: SlackStandIn) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    slack.faults.add("chat.postEphemeral", error="channel_not_found")
    reply(client, ask(), Message("for your eyes only"))
    assert [message.text for message in slack.messages("@ana")] == ["for your eyes only"]
    assert slack.messages("#security", as_user="ana") == ()


def exported(content: bytes) -> ExportedFile:
    return ExportedFile(
        name="report.json",
        media_type="application/json",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=io.BytesIO(content),
    )


def test_a_file_arrives_whole(slack: SlackStandIn) -> None:
    content = bytes(range(256)) * 20_000
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    SlackDelivery(client, "C0SECURITY", comment="here it is").deliver(exported(content))
    (message,) = slack.messages("#security")
    assert message.text == "here it is"
    assert slack.file_content(message.files[0]) == content


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"error": "not_in_channel"}, InputError),
        ({"status": 500}, UnavailableError),
        ({"drop": True}, UnavailableError),
    ],
)
def test_a_file_slack_does_not_take_says_so(
    slack: SlackStandIn, method: str, fault: dict[str, Any], kind: type[CountersignError]
) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url, retry_handlers=[])
    slack.faults.add(method, **fault)
    with pytest.raises(kind, match="could not be posted"):
        SlackDelivery(client, "C0SECURITY").deliver(exported(b"x"))
    assert slack.messages("#security") == ()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[Elsewhere], Elsewhere]]:
    with ExitStack() as stack:
        yield lambda plan: stack.enter_context(serving_elsewhere(plan))


def test_a_file_is_not_sent_to_a_stranger(elsewhere: Callable[[Elsewhere], Elsewhere]) -> None:
    thief = elsewhere(Elsewhere(b"OK"))
    slack = elsewhere(
        Elsewhere(b'{"ok": true, "file_id": "F1", "upload_url": "%s/upload"}' % thief.url.encode())
    )
    with pytest.raises(InputError, match="not Slack's"):
        SlackDelivery(WebClient("xoxb-x", base_url=f"{slack.url}/api/"), "C1").deliver(exported(b"secret"))
    assert thief.paths == []


def test_an_answer_is_not_sent_to_a_stranger(
    slack: SlackStandIn, elsewhere: Callable[[Elsewhere], Elsewhere]
) -> None:
    thief = elsewhere(Elsewhere(b"ok"))
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    reply(client, ask(), Message("for your eyes only"), url=f"{thief.url}/response")
    assert thief.paths == []
    assert len(slack.messages("#security", as_user="ana")) == 1


def test_an_upload_that_is_refused_is_not_shared(elsewhere: Callable[[Elsewhere], Elsewhere]) -> None:
    slack = elsewhere(
        Elsewhere(b'{"ok": true, "file_id": "F1", "upload_url": "SELF/upload?t=1"}', status=500)
    )
    with pytest.raises(UnavailableError, match="could not be posted"):
        SlackDelivery(WebClient("xoxb-x", base_url=f"{slack.url}/api/"), "C1").deliver(exported(b"x"))
    assert slack.paths == ["/api/files.getUploadURLExternal", "/upload?t=1"]
