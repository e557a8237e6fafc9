"""Socket Mode: the stand-in as the far end of slack_bolt's own client."""

import logging
from collections.abc import Iterator

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox import SlackStandIn
from tests.unit.bot.sandbox.sandbox_kit import Json, modal, text_input


@pytest.fixture(scope="module")
def connected() -> Iterator[SlackStandIn]:
    """A stand-in with one Socket Mode connection of a Bolt App; shared, for the client closes slowly."""
    with SlackStandIn.start(ack_timeout_s=2.0) as slack:
        logger = logging.getLogger("tiny-socket")
        logger.setLevel(logging.CRITICAL)
        client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
        bolt = App(client=client, logger=logger)
        bolt.command("/report")(lambda ack: ack("Over the socket"))
        bolt.command("/form")(open_form)
        bolt.view("form")(lambda ack: ack(response_action="errors", errors={"reason": "No"}))
        handler = SocketModeHandler(bolt, slack.workspace.app_token, logger=logger, ping_interval=0.5)
        handler.connect()  # type: ignore[no-untyped-call]
        slack.wait_for(lambda: slack.sockets.connections == 1)
        yield slack
        handler.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def slack(connected: SlackStandIn) -> SlackStandIn:
    connected.reset()
    return connected


def open_form(ack: Ack, body: Json, client: WebClient) -> None:
    client.views_open(trigger_id=body["trigger_id"], view=modal(text_input("reason")))
    ack()


def test_a_command_and_its_answer_travel_over_the_socket(slack: SlackStandIn) -> None:
    result = slack.command(user="ana", channel="#security", text="/report list")
    assert (result.status, result.body) == (200, {"text": "Over the socket"})
    assert [m.text for m in slack.messages("#security", "ana")] == ["Over the socket"]


def test_a_view_error_travels_in_the_acknowledgement(slack: SlackStandIn) -> None:
    slack.command(user="ana", channel="#security", text="/form")
    view = slack.views("ana")[-1]
    assert slack.submit_view("ana", view, {"reason": "Because"}).errors == {"reason": "No"}


def test_what_nobody_acknowledges_times_out(slack: SlackStandIn) -> None:
    slack.sockets.ack_timeout_s = 0.2
    unheard = slack.command(user="ana", channel="#security", text="/unheard")
    slack.sockets.ack_timeout_s = 2.0
    assert unheard.error == "operation_timeout"


@pytest.mark.parametrize("end", ["disconnect", "kill"])
def test_the_client_comes_back_after_an_ended_connection(slack: SlackStandIn, end: str) -> None:
    getattr(slack.sockets, end)()
    slack.wait_for(lambda: slack.calls_of("apps.connections.open"), timeout_s=20)
    slack.wait_for(lambda: slack.sockets.connections, timeout_s=20)
    # The client may open a second connection and drop the first; an envelope in between is lost, as at Slack.
    attempts = (slack.command(user="ana", channel="#security", text="/report") for _ in range(5))
    assert any(attempt.ok for attempt in attempts)


def test_a_socket_needs_its_own_ticket(slack: SlackStandIn) -> None:
    token = slack.workspace.app_token
    url = WebClient(token, base_url=slack.api_url).apps_connections_open(app_token=token)["url"]
    assert url.startswith(slack.base_url.replace("http", "ws") + "/socket?ticket=")
    assert slack.sockets.new_ticket() != slack.sockets.new_ticket()
