"""The real bot as a child process, between the stand-in for Slack and moto's server, by both ways in."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest

from audit.findings import Finding, Severity
from bot.sandbox.cloud import DemoCloud, demo_cloud
from bot.sandbox.demo import bot_environment, running_bot
from bot.sandbox.records import Message
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.workspace import DEFAULT_WORKSPACE, Workspace
from tests.conftest import ACCOUNT
from tests.scenario.planted import Planted, plant
from tests.shell import Done, run_in

PATIENCE_S = 20.0
NOTHING: Mapping[str, str] = MappingProxyType({})
T = TypeVar("T")
CHANNEL = "#security"


@dataclass
class Stage:
    """A running bot with everything around it, and the few things people do."""

    slack: SlackStandIn
    cloud: DemoCloud
    folder: Path
    environment: dict[str, str]
    child: "subprocess.Popen[bytes]"

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    def countersign(self, *words: str) -> Done:
        return run_in(self.environment, *words)

    def make_finding(self) -> Finding:
        """Create a bucket without any block, and take in a report that complains about it."""
        name = f"bucket-{uuid.uuid4().hex[:10]}"
        self.cloud.client.create_bucket(Bucket=name)
        finding = Finding(
            id=f"scan-{name}",
            title=f"Bucket {name} is <public> & open to <!channel>",
            severity=Severity.CRITICAL,
            category="Storage",
            resource=f"arn:aws:s3:::{name}",
            check_id="s3_bucket_level_public_access_block",
            provider="aws",
            account_id=ACCOUNT,
            region="us-east-1",
        )
        report = self.folder / f"{name}.json"
        report.write_text(json.dumps({"findings": [finding.to_dict()]}), encoding="utf-8")
        done = self.countersign("report", "ingest", str(report))
        assert done.returncode == 0, done.stderr
        return finding

    def block(self, finding: Finding) -> object:
        bucket = finding.resource.rpartition(":")[2]
        try:
            return self.cloud.client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        except self.cloud.client.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    def ask(self, finding: Finding, *, user: str = "ana", playbook: str = "AWS-PUBLIC-S3") -> Message:
        """Run the playbook and wait for the card."""
        known = {message.ts for message in self.slack.messages(CHANNEL)}
        result = self.slack.command(
            user=user, channel=CHANNEL, text=f"/playbook run {playbook} {finding.handle}"
        )
        assert result.ok, result
        return self.wait(lambda: self.card_of(finding, beyond=known))

    def card_of(self, finding: Finding, *, beyond: set[str] = frozenset()) -> Message | None:  # type: ignore[assignment]
        cards = [
            message
            for message in self.slack.messages(CHANNEL)
            if message.ts not in beyond and finding.resource in message.words and not message.only_for
        ]
        return cards[-1] if cards else None

    def wait(self, see: Callable[[], T | None]) -> T:
        try:
            return self.slack.wait_for(see, PATIENCE_S)
        except TimeoutError as error:
            seen = "\n---\n".join(message.words for message in self.slack.messages(CHANNEL)[-4:])
            raise AssertionError(f"{error}\n{self.log[-4000:]}\nThe channel's end:\n{seen}") from None

    def wait_card(self, card: Message, *words: str) -> Message:
        """Wait until the card says all these words."""

        def see() -> Message | None:
            now = self.slack.message(CHANNEL, card.ts)
            return now if all(word in now.words for word in words) else None

        return self.wait(see)

    def wait_private(self, user: str, *words: str) -> Message:
        """Wait until this person, and nobody else, is told all these words."""

        def see() -> Message | None:
            mine = [m for m in self.slack.messages(CHANNEL, as_user=user) if m.only_for]
            return next((m for m in reversed(mine) if all(word in m.words for word in words)), None)

        return self.wait(see)


def start(
    mode: str,
    folder: Path,
    *,
    extra: Mapping[str, str] = NOTHING,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> Iterator[Stage]:
    with demo_cloud() as cloud, SlackStandIn.start(workspace) as slack:
        extra = dict(extra) | ({"SLACK_APP_TOKEN": workspace.app_token} if mode == "socket" else {})
        with running_bot(slack, cloud, folder, extra=extra) as child:
            yield Stage(slack, cloud, folder, bot_environment(slack, cloud, folder) | extra, child)
            assert slack.violations == (), "the bot broke a rule of Slack's"


@pytest.fixture(scope="module", params=["http", pytest.param("socket", marks=pytest.mark.slow)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from start(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def http_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from start("http", tmp_path_factory.mktemp("http"))


@pytest.fixture
def hidden(tmp_path: Path) -> Planted:
    """Plant what the bot may know, in a folder that is not searched."""
    (tmp_path / "bot").mkdir()
    return plant(tmp_path / "hidden", outside=tmp_path / "bot")
