"""Messages of playbooks into channels, against the stand-in for Slack."""

import socket

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


def test_where_slack_does_not_answer_it_may_have_arrived_and_is_not_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = WebClient("xoxb-1", base_url=f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=1)
        with pytest.raises(TemporaryActionError, match="it may have arrived") as caught:
            SlackMessenger(client).post(CHANNEL, "Hello")
        assert caught.value.cause is Cause.NOT_SENT
        server.setblocking(False)
        server.accept()[0].close()
        with pytest.raises(BlockingIOError):  # one call, and no other
            server.accept()


def test_a_message_that_grows_beyond_slacks_limit_is_refused_whole(house: House) -> None:
    with pytest.raises(PermanentActionError, match="longer than Slack takes"):
        SlackMessenger(house.client).post(CHANNEL, "\n".join(["<" * 400] * 4))
    assert house.cards() == []
