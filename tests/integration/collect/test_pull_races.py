"""Two bots, one schedule that fetches, many slots: each slot fetched and told exactly once, on SQLite and on Postgres."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from audit.trail import breaks
from bot.sandbox import Message, SlackStandIn
from exporters.cadence import Cadence
from exporters.schedules import FireState, ScheduleKind
from exporters.scheduling import Scheduling, Wish
from storage import Stores
from tests.contract.conftest import a_schema
from tests.databases import migrate
from tests.fakes.samples import ANALYST, NOW
from tests.integration.collect.hub import Hub, new_keys

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
_SLOTS = 3
_RETRIES = 4  # minutes, in which what was in the way of the other is done
NAMES = ("s-1", "s-2")


class Puller:
    """A process that does at a minute what is due then."""

    def __init__(self, url: str, slack: SlackStandIn, hub: Hub) -> None:
        environment = {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.workspace.bot_token,
            "SLACK_SIGNING_SECRET": slack.workspace.signing_secret,
            "AWS_ENDPOINT_URL": hub.endpoint,
            **{name.upper(): value for name, value in hub.keys.items()},
        }
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("puller.py"))],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, minute: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{minute}\n")
        self.process.stdin.flush()

    def wait(self) -> None:
        """Wait until it is done; what else it prints is the log."""
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) != "done\n":
            assert line, "it ended"

    def end(self) -> None:
        with self.process:
            self.process.communicate()


def race(url: str, hub: Hub) -> None:
    migrate(url)
    hub.fill(120)
    with ExitStack() as stack:
        stores = Stores.open(url)
        stack.callback(stores.close)
        schedule(stores, hub)
        slack = stack.enter_context(SlackStandIn.start())
        pullers = [Puller(url, slack, hub) for _ in range(2)]
        for puller in pullers:
            stack.callback(puller.end)
            puller.wait()
        for minute in range(1, _SLOTS + _RETRIES + 1):
            if minute == _SLOTS + 1:
                for name in NAMES:
                    Scheduling(store=stores.schedules, clock=lambda: NOW).pause(name, ANALYST)
            for puller in pullers:
                puller.begin(minute)
            for puller in pullers:
                puller.wait()
        told = [message for message in slack.messages("#security") if "Findings fetched" in message.words]
        assert slack.violations == ()
        check(stores, told=[_fire_of(message) for message in told])


def schedule(stores: Stores, hub: Hub) -> None:
    """Have two schedules fetch the same, so that they get into each other's way, too."""
    for name in NAMES:
        wish = Wish(
            schedule_id=name,
            cadence=Cadence(cron="* * * * *"),
            kind=ScheduleKind.PULL,
            channel="C0SECURITY",
            source=f"aws {hub.region}",
            format="",
        )
        Scheduling(store=stores.schedules, clock=lambda: NOW).add(wish, ANALYST)


def _fire_of(message: Message) -> str:
    assert message.metadata
    return str(message.metadata["event_payload"]["execution_id"])


def check(stores: Stores, *, told: list[str]) -> None:
    fires = [fire for name in NAMES for fire in stores.schedules.fires(name, 999)]
    assert len(fires) == _SLOTS * len(NAMES), "each slot was claimed, once"
    sent = [fire for fire in fires if fire.state is FireState.SENT]
    # Whoever finds the other fetching the same waits for a minute, in which the next one comes due: that one stands for both.
    assert {fire.state for fire in fires} <= {FireState.SENT, FireState.OVERTAKEN}
    assert {fire.missed for fire in fires} == {0}
    assert {stores.schedules.fires(name, 1)[0].state for name in NAMES} == {FireState.SENT}, (
        "the last is sent"
    )
    assert Counter(told) == Counter(fire.fire_id for fire in sent), "each is told, and none twice"
    (report,) = stores.reports.list_reports()
    assert report.summary["total_findings"] == 120
    assert {fire.brought("report") for fire in sent} == {report.report_id}
    entries = list(stores.trail.stream())
    kinds = Counter(json.loads(entry.body)["kind"] for entry in entries)
    assert kinds["schedule.fired"] == len(fires)
    assert kinds["schedule.sent"] == len(sent)
    assert kinds["schedule.overtaken"] == len(fires) - len(sent)
    assert kinds["report.ingested"] == 1
    assert list(breaks(entries)) == []


def test_each_slot_is_fetched_once_on_sqlite(moto_endpoint: str, tmp_path: Path) -> None:
    race(f"sqlite:///{tmp_path}/countersign.db", Hub(moto_endpoint, keys=new_keys(moto_endpoint)))


def test_each_slot_is_fetched_once_on_postgres(moto_endpoint: str, postgres: str) -> None:
    with a_schema(postgres) as url:
        race(url, Hub(moto_endpoint, keys=new_keys(moto_endpoint)))
