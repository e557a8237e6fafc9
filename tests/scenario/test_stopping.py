"""Told to stop in the middle of work, the real bot ends what it has begun and leaves the rest to the next one."""

import json
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.sandbox.cloud import demo_cloud
from bot.sandbox.demo import bot_environment, running_bot
from bot.sandbox.standin import SlackStandIn
from tests.scenario.conftest import CHANNEL, PATIENCE_S

pytestmark = [pytest.mark.process, pytest.mark.slow]
ASKED = 40
ENDS_WITHIN_S = 30


def answers(slack: SlackStandIn) -> int:
    return sum(bool(message.only_for) for message in slack.messages(CHANNEL, as_user="ana"))


def see(what: Callable[[], bool]) -> None:
    """Look until something is so that nothing tells of."""
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_every_request_is_answered_once_though_the_bot_is_stopped_among_them(tmp_path: Path) -> None:
    with demo_cloud() as cloud, SlackStandIn.start() as slack:
        with running_bot(slack, cloud, tmp_path) as child:
            slack.faults.add("*", times=10_000, delay_s=0.3)
            with ThreadPoolExecutor(ASKED) as pool:
                acks = pool.map(
                    lambda _: slack.command(user="ana", channel=CHANNEL, text="/report list"), range(ASKED)
                )
                assert all(ack.ok for ack in acks)
            child.send_signal(signal.SIGTERM)
            assert child.wait(ENDS_WITHIN_S) == 0
            before = answers(slack)
            log = (tmp_path / "bot.log").read_text(encoding="utf-8")
            assert '"event": "stopped"' in log
            assert "Traceback" not in log
        assert before < ASKED, "some were left, or this shows nothing"
        slack.faults.clear()
        with running_bot(slack, cloud, tmp_path):
            slack.wait_for(lambda: answers(slack) >= ASKED or None, PATIENCE_S)
        assert answers(slack) == ASKED


def test_a_second_signal_ends_a_stop_that_would_take_long(tmp_path: Path) -> None:
    gate = threading.Event()
    with demo_cloud() as cloud, SlackStandIn.start() as slack, running_bot(slack, cloud, tmp_path) as child:
        try:
            slack.faults.add("*", until=gate)
            assert slack.command(user="ana", channel=CHANNEL, text="/report list").ok
            see(lambda: not slack.faults.are_open)
            slack.faults.add("*", times=10_000, until=gate)  # however it tries, it gets no answer
            child.send_signal(signal.SIGTERM)
            log = tmp_path / "bot.log"
            see(lambda: '"event": "stopping"' in log.read_text(encoding="utf-8"))
            assert child.poll() is None, "it waits for what is being done"
            child.send_signal(signal.SIGTERM)
            assert child.wait(ENDS_WITHIN_S) == -signal.SIGTERM
            assert '"event": "stopped"' not in log.read_text(encoding="utf-8")
        finally:
            gate.set()


def test_each_line_of_a_work_names_what_it_is_about(tmp_path: Path) -> None:
    with demo_cloud() as cloud, SlackStandIn.start() as slack:
        with running_bot(slack, cloud, tmp_path):
            slack.command(user="ana", channel=CHANNEL, text="/report show")
            slack.wait_for(lambda: answers(slack) or None, PATIENCE_S)
        lines = [json.loads(line) for line in (tmp_path / "bot.log").read_text(encoding="utf-8").splitlines()]
        answered = next(line for line in lines if line["event"] == "request answered")
        assert answered["request_id"].startswith("q-")
        assert answered["report_id"]
        assert bot_environment(slack, cloud, tmp_path)["SLACK_BOT_TOKEN"] not in json.dumps(lines)
