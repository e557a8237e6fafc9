"""Socket Mode: however the connection ends, the bot is back, and what was asked for meanwhile is answered, once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.app import Bot
from bot.config import read_config
from bot.sandbox import SlackStandIn
from bot.sandbox.demo import CONFIG
from bot.settings import Settings
from bot.socket_mode import Socket
from handlers.door import Door
from tests.databases import stores_in_memory
from tests.endings import Later
from tests.fakes.elsewhere import Elsewhere, serving_elsewhere

CHANNEL = "#security"
PATIENCE_S = 30.0
ENDS = (
    "cut",
    pytest.param("kill", marks=pytest.mark.slow),
    pytest.param("disconnect", marks=pytest.mark.slow),
)


@pytest.fixture(scope="module")
def one_slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start(ack_timeout_s=PATIENCE_S) as standin:
        yield standin


@pytest.fixture
def slack(one_slack: SlackStandIn) -> Iterator[SlackStandIn]:
    one_slack.reset()
    one_slack.sockets.keeps_envelopes = True
    yield one_slack
    assert one_slack.violations == ()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[Elsewhere], Elsewhere]]:
    with ExitStack() as stack:
        yield lambda plan: stack.enter_context(serving_elsewhere(plan))


def until(see: Callable[[], object]) -> None:
    """Wait for something of the bot's own."""
    over = time.monotonic() + PATIENCE_S
    while not see():
        assert time.monotonic() < over, "not seen"
        time.sleep(0.02)


@pytest.fixture
def bot(slack: SlackStandIn, tmp_path: Path) -> Iterator[Bot]:
    """The whole bot in this process, on a database in memory."""
    config = tmp_path / "countersign.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    settings = Settings(
        slack_api_url=slack.api_url,
        slack_bot_token=slack.workspace.bot_token,
        slack_app_token=slack.workspace.app_token,
        countersign_config=config,
    )
    bot = Bot(settings, read_config(config), stores_in_memory())
    bot.start()
    slack.wait_for(lambda: slack.sockets.connections)
    yield bot
    bot.stop()


def opened(slack: SlackStandIn) -> int:
    return len(slack.calls_of("apps.connections.open"))


def answers(slack: SlackStandIn) -> int:
    return len([message for message in slack.messages(CHANNEL, as_user="ana") if message.only_for])


@pytest.mark.parametrize("end", ENDS)
def test_what_is_asked_while_the_connection_is_gone_is_answered_once(
    slack: SlackStandIn, bot: Bot, end: str
) -> None:
    getattr(slack.sockets, end)()
    with ThreadPoolExecutor(5) as people:
        typed = [
            people.submit(slack.command, user="ana", channel=CHANNEL, text="/report list") for _ in range(5)
        ]
        assert all(each.result().ok for each in typed)
    until(lambda: answers(slack) >= len(typed))
    until(lambda: not bot.worker.loads()["request"].depth)
    assert answers(slack) == len(typed)
    assert opened(slack) > 1
    assert bot.missing() == {}


@pytest.mark.slow
def test_a_click_whose_acknowledgement_was_cut_off_comes_again_and_is_one(
    slack: SlackStandIn, bot: Bot
) -> None:
    slack.sockets.cuts_after = 1
    assert slack.command(user="ana", channel=CHANNEL, text="/report list").ok
    until(lambda: answers(slack))
    until(lambda: not bot.worker.loads()["request"].depth)
    counted = {"kind": "command", "outcome": "ok"}
    heard = bot.metrics.registry.get_sample_value("countersign_acknowledgement_seconds_count", counted)
    assert (heard, answers(slack)) == (2, 1)


@pytest.mark.slow
def test_readiness_tells_while_slack_lets_nobody_in(slack: SlackStandIn, bot: Bot) -> None:
    slack.faults.add("apps.connections.open", times=100, error="internal_error")
    assert bot.missing() == {}
    slack.sockets.cut()
    until(lambda: "Socket Mode" in bot.missing().get("slack", ""))
    slack.faults.clear()
    until(lambda: bot.missing() == {})
    assert slack.command(user="ana", channel=CHANNEL, text="/report list").ok


@pytest.mark.parametrize("body", [b"[]", b'"ok"', b"12", b"{}", b"<html>"])
def test_an_answer_of_another_shape_does_not_end_the_keeper(
    body: bytes, elsewhere: Callable[[Elsewhere], Elsewhere], later: Later
) -> None:
    gateway = elsewhere(Elsewhere(body))
    app = Door(signing_secret=None)
    client = WebClient("xoxb-x", base_url=f"{gateway.url}/api/", retry_handlers=[])
    socket = Socket(app, "xapp-x", client=client)
    try:
        socket._reconnect()
    finally:
        later(socket.close)
    assert set(gateway.paths) == {"/api/apps.connections.open"}


def test_readiness_tells_when_nobody_looks_after_the_connection(bot: Bot) -> None:
    assert bot.missing() == {}
    assert bot._socket
    bot._socket._stopping.set()
    bot._socket._keeper.join(PATIENCE_S)
    assert "nobody looks after" in bot.missing()["socket"]


def test_what_comes_at_a_stop_is_left_to_whoever_asked(bot: Bot) -> None:
    payload = {
        "command": "/report",
        "text": "list",
        "user_id": "U0ANA",
        "team_id": "T0DEMO",
        "trigger_id": "1.1",
    }
    assert bot._socket
    bot._socket._stopping.set()
    bot._socket.handle(bot._socket.client, SocketModeRequest("slash_commands", "e-1", payload))
    bot.services.intake.stop()  # all that came is stored by then
    owner, now = bot.services.runner.journal.owner, bot.services.clock()
    assert bot.services.inbox.open_requests(owner, now) == []
    counted = {"kind": "command", "outcome": "ok"}
    assert bot.metrics.registry.get_sample_value("countersign_acknowledgement_seconds_count", counted) is None
