"""Messages of playbooks into channels, against the stand-in for Slack."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from slack_sdk import WebClient

from audit.errors import Cause, PermanentActionError, TemporaryActionError
from handlers.messenger import SlackMessenger
from tests.unit.handlers.house import CHANNEL, House


def test_it_posts_where_it_is_told_and_says_where_it_stands(house: House) -> None:
    place = SlackMessenger(house.client).post(CHANNEL, "Public access was blocked")
    [message] = house.cards()
    assert message.words == "Public access was blocked"
    assert place.partition("/")[2] == message.ts


def test_a_findings_words_command_nothing(house: House) -> None:
    SlackMessenger(house.client).post(
        CHANNEL, "Bucket <!channel> <https://evil.example|here> & @here\nsecond"
    )
    [message] = house.cards()
    assert message.words.splitlines() == [
        "Bucket &lt;!channel&gt; &lt;https://evil.example|here&gt; &amp; @here",
        "second",
    ]


def test_a_channel_that_is_none_is_explained(house: House) -> None:
    with pytest.raises(PermanentActionError) as caught:
        SlackMessenger(house.client).post("#no-such-channel", "Hello")
    assert caught.value.cause is Cause.NOT_SENT
    assert "Invite me" in caught.value.explain()
    assert len(caught.value.explain().splitlines()) == 1


class HangsUp(BaseHTTPRequestHandler):
    """A Slack that takes every call and hangs up before it answers."""

    calls: list[str] = []

    def do_POST(self) -> None:
        self.calls.append(self.path)
        self.close_connection = True

    def log_message(self, *_: object) -> None: ...


def test_where_slack_does_not_answer_it_may_have_arrived_and_is_not_tried_again() -> None:
    HangsUp.calls.clear()
    with HTTPServer(("127.0.0.1", 0), HangsUp) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        client = WebClient("xoxb-1", base_url=f"http://127.0.0.1:{server.server_port}/", timeout=5)
        try:
            with pytest.raises(TemporaryActionError, match="it may have arrived") as caught:
                SlackMessenger(client).post(CHANNEL, "Hello")
        finally:
            server.shutdown()
            thread.join()
    assert caught.value.cause is Cause.NOT_SENT
    assert HangsUp.calls == ["/chat.postMessage"]


def test_a_message_that_grows_beyond_slacks_limit_is_refused_whole(house: House) -> None:
    with pytest.raises(PermanentActionError, match="longer than Slack takes"):
        SlackMessenger(house.client).post(CHANNEL, "\n".join(["<" * 400] * 4))
    assert house.cards() == []
