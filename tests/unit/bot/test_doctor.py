"""`countersign doctor` against a stand-in for Slack, a real inbox and moto's server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.sandbox.cloud import DemoCloud, demo_cloud
from bot.sandbox.demo import bot_environment
from bot.sandbox.inbox import Inbox
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.workspace import DEFAULT_WORKSPACE
from bot.scopes import NEEDED_SCOPES
from bot.settings import Settings
from bot.slack_checks import check_slack
from storage import open_engine
from tests.databases import migrate
from tests.fakes.sts import Sts, serving
from tests.shell import Done, run_in

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Place:
    environment: dict[str, str]
    folder: Path
    slack: SlackStandIn

    def doctor(self, **variables: str) -> tuple[int, dict[str, tuple[bool | None, str]]]:
        done = self.run(**variables)
        found = {each["name"]: (each["is_well"], each["found"]) for each in json.loads(done.stdout)}
        return done.returncode, found

    def run(self, *words: str, **variables: str) -> Done:
        return run_in(self.environment | variables, "doctor", *(words or ("--json",)))


@pytest.fixture(scope="module")
def cloud() -> Iterator[DemoCloud]:
    with demo_cloud() as running:
        yield running


@pytest.fixture
def place(cloud: DemoCloud, tmp_path: Path) -> Iterator[Place]:
    with Inbox.start() as inbox, SlackStandIn.start() as slack:
        environment = bot_environment(slack, cloud, tmp_path, inbox=inbox)
        migrate(environment["DATABASE_URL"])
        yield Place(environment, tmp_path, slack)


def test_the_scopes_are_those_of_the_manifest() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == NEEDED_SCOPES


def test_all_is_well(place: Place) -> None:
    code, found = place.doctor()
    assert code == 0, found
    assert {name for name, (is_well, _) in found.items() if is_well} >= {
        *("configuration", "database", "slack", "scopes", "clock", "way in", "mail", "aws")
    }
    assert found["aws"][1] == "signed in to account 123456789012"
    assert found["gcp"][0] is found["azure"][0] is None
    assert place.run("--json").stdout.isascii()


def test_a_missing_scope_is_named_with_what_to_do(place: Place) -> None:
    workspace = replace(DEFAULT_WORKSPACE, scopes=NEEDED_SCOPES - {"files:write"} | {"admin"})
    place.slack.state.workspace = workspace
    code, found = place.doctor()
    assert code == 1
    assert found["scopes"][0] is False
    assert "files:write" in found["scopes"][1]
    assert "reinstall" in found["scopes"][1]


def test_each_token_is_tried(place: Place) -> None:
    code, found = place.doctor(SLACK_APP_TOKEN="xapp-wrong")
    assert (code, found["slack"][0], found["way in"][0]) == (1, True, False)
    assert "SLACK_APP_TOKEN was refused" in found["way in"][1]
    assert place.doctor(SLACK_APP_TOKEN=DEFAULT_WORKSPACE.app_token)[1]["way in"][0] is True
    code, found = place.doctor(SLACK_BOT_TOKEN="xoxb-wrong")
    assert (code, found["slack"][0]) == (1, False)
    assert "scopes" not in found


def test_a_trail_without_its_triggers_is_refused(place: Place) -> None:
    engine = open_engine(place.environment["DATABASE_URL"])
    with engine.begin() as connection:
        names = (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .scalars()
            .all()
        )
        connection.exec_driver_sql(f"DROP TRIGGER {names[0]}")
    engine.dispose()
    code, found = place.doctor()
    assert (code, found["database"][0]) == (1, False)


@pytest.mark.parametrize(("minutes", "word"), [(10, "ahead of"), (-10, "behind")])
def test_a_clock_that_is_wrong_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, minutes: int, word: str
) -> None:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    wrong = datetime.now(UTC) + timedelta(minutes=minutes)
    checks = {check.name: check for check in check_slack(Settings.from_environment(), now=lambda: wrong)}
    assert checks["clock"].is_well is False
    assert word in checks["clock"].found


def test_each_configured_account_is_tried(place: Place) -> None:
    config = place.folder / "countersign.yaml"
    roles = (
        "accounts:\n  aws:\n    region: us-east-1\n    role: arn:aws:iam::{account_id}:role/countersign\n"
        '    overrides: {"210987654321": {}}\n'
    )
    config.write_text(config.read_text(encoding="utf-8") + roles, encoding="utf-8")
    code, found = place.doctor()
    assert code == 0, found
    assert found["aws 210987654321"][1] == "the role is ours in 210987654321"


def test_a_mail_server_that_is_not_there_is_told(place: Place) -> None:
    code, found = place.doctor(SMTP_PORT="9")
    assert (code, found["mail"][0]) == (1, False)


@pytest.mark.parametrize(
    ("variables", "word"),
    [({"SMTP_PORT": "abc"}, "SMTP_PORT must be a number"), ({"SENDER_EMAIL": ""}, "SENDER_EMAIL is not set")],
)
def test_mail_that_is_set_wrong_is_not_called_unset(
    place: Place, variables: dict[str, str], word: str
) -> None:
    code, found = place.doctor(**variables)
    assert (code, found["mail"][0]) == (1, False)
    assert word in found["mail"][1]


def test_without_a_mail_server_mail_is_not_set(place: Place) -> None:
    code, found = place.doctor(SMTP_SERVER="")
    assert (code, found["mail"][0]) == (0, None), found


def test_without_credentials_aws_is_not_set(place: Place) -> None:
    code, found = place.doctor(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (code, found["aws"][0]) == (0, None), found


def test_credentials_that_aws_rejects_are_told(place: Place) -> None:
    with serving(Sts()) as sts:
        sts.refusal = (403, "ExpiredToken", "The security token included in the request is expired")
        code, found = place.doctor(AWS_ENDPOINT_URL=sts.url)
    assert (code, found["aws"][0]) == (1, False)
    assert "ExpiredToken" in found["aws"][1]
