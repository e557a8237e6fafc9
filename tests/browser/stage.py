"""The real bot between the stand-ins, a window in front of the page, and what people do there.

One stage serves many tests: it starts once, its window stays open, and the bot may be killed and started again behind it.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import boto3
from playwright.sync_api import Browser

from audit.findings import Finding
from bot.sandbox.cloud import FLAGS, REGION, DemoCloud, demo_cloud
from bot.sandbox.demo import bot_environment, serving_bot
from bot.sandbox.inbox import Inbox
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.tour import page_setup
from tests.browser.gate import Gate
from tests.browser.visitor import Visitor, opened_window
from tests.browser.weeks import BUCKETS, PICKED, findings_in, write_weeks
from tests.shell import run_in

CONFIG = """\
environment: demo
channel: C0SECURITY
policy:
  approvers: [S0SEC]
"""
CAST = ("ana", "omar", "otto", "priya")


@dataclass(repr=False, eq=False)
class Stage:
    """A running bot with everything around it; `findings` by bucket, `reports` the ids of the weekly ones, oldest first."""

    slack: SlackStandIn
    cloud: DemoCloud
    gate: Gate
    inbox: Inbox
    folder: Path
    environment: dict[str, str]
    visitor: Visitor = field(init=False)
    findings: dict[str, Finding] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    child: "subprocess.Popen[bytes] | None" = None
    _running: ExitStack = field(default_factory=ExitStack)
    _buckets: Iterator[str] = field(default_factory=lambda: iter(name for name in BUCKETS if name != PICKED))

    @classmethod
    @contextmanager
    def set_up(cls, browser: Browser, folder: Path, *, config: str = CONFIG) -> Iterator[Self]:
        """Put everything up, with five weeks of reports taken in, and take it down; nothing may have broken a rule of Slack's."""
        with (
            demo_cloud() as cloud,
            Gate.before(cloud.endpoint) as gate,
            Inbox.start() as inbox,
            SlackStandIn.start(page=replace(page_setup(cloud, inbox), tour=(), people=CAST)) as slack,
        ):
            environment = bot_environment(slack, cloud, folder, inbox=inbox) | {
                "AWS_ENDPOINT_URL": gate.url,
                "COUNTERSIGN_CONFIG": str(_written(folder / "stage.yaml", config)),
            }
            stage = cls(slack, cloud, gate, inbox, folder, environment)
            stage._take_reports_in()
            with stage._running:
                stage.start()
                with opened_window(browser, slack.page_url) as window:
                    stage.visitor = Visitor(window)
                    yield stage
            assert [f"{each.where}: {each.message}" for each in slack.violations] == []

    def _take_reports_in(self) -> None:
        paths = write_weeks(self.folder)
        for bucket in BUCKETS:
            self.cloud.client.create_bucket(Bucket=bucket)
        self.findings = findings_in(paths[-1])
        # The last one works the reports in, so that no scenario finds the bot still at it.
        for words in (["db", "upgrade"], ["report", "ingest", *map(str, paths)], ["report", "findings"]):
            done = run_in(self.environment, *words)
            assert done.returncode == 0, done.stderr
        listed = json.loads(run_in(self.environment, "report", "list", "--json").stdout)
        ids = {report["name"]: report["report_id"] for report in listed}
        self.reports = [ids[path.name] for path in paths]

    def start(self) -> None:
        """Start the bot on the database that is there."""
        log = self.folder / "bot.log"
        self.child = self._running.enter_context(serving_bot(self.slack, self.environment, log))

    def reconfigure(self, config: str) -> None:
        """Start the bot anew with another configuration."""
        self.kill()
        _written(self.folder / "stage.yaml", config)
        self.start()

    def kill(self) -> None:
        """End the bot at once, as a power cut does."""
        assert self.child is not None
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def tidy(self) -> None:
        """Close what a scenario that failed has left open, so that the next one is judged by itself."""
        with self.slack.state.change():
            for person in self.slack.workspace.people:
                self.slack.state.views.clear(person.id)
        self.visitor.tidy()

    def next_finding(self) -> Finding:
        """Return a finding that no scenario has had yet."""
        return self.findings[next(self._buckets)]

    def flags(self, finding: Finding) -> set[str]:
        """Return which of the four switches are on, on the finding's bucket, as the cloud itself says."""
        bucket = finding.resource.rpartition(":")[2]
        try:
            found: dict[str, Any] = dict(
                self.cloud.client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
            )
        except self.cloud.client.exceptions.ClientError:
            return set()
        return {flag for flag in FLAGS if found.get(flag)}

    def fill_security_hub(self, region: str, records: list[dict[str, Any]]) -> None:
        """Put findings into the account's Security Hub."""
        hub = boto3.client(
            "securityhub",
            endpoint_url=self.cloud.endpoint,
            region_name=region,
            aws_access_key_id="demo",
            aws_secret_access_key="demo",
        )
        hub.batch_import_findings(Findings=records)

    @property
    def log(self) -> str:
        """Return what the bot has said."""
        return (self.folder / "bot.log").read_text(encoding="utf-8")


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


ALL_ON = set(FLAGS)
__all__ = ["ALL_ON", "REGION", "Stage"]
