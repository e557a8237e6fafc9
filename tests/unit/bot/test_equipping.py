"""The configuration's sections on protection, notifications, scripts and raw calls: read, checked, and no secret repeated."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.errors import ConfigError, RefusedError
from bot.config import Config, read_config
from bot.planning import make_equipment, make_planner
from bot.settings import Settings
from remediation.actions.notification import Notify

BASE = "policy: {approvers: [S0SEC]}\n"
CANARY = "canary-secret-0123456789"
WHOLE = (
    BASE
    + f"""\
notifications:
  oncall: "pagerduty://{CANARY}@key"
  team.ops-1: "workflows://example.com/{CANARY}/x"
scripts: {{folder: scripts, user: nobody}}
raw_calls: [s3:delete-bucket-policy]
protection:
  resources: ["arn:aws:s3:::*-logs"]
  tags: ["countersign:protected=true"]
  accounts: ["123456789012"]
  max_targets: 3
  windows: [{{days: [mon, fri], start: "22:00", end: "04:00", timezone: Europe/Berlin}}]
  freezes: [{{first: 2026-12-20, last: 2027-01-03}}]
"""
)


def read(folder: Path, text: str) -> Config:
    path = folder / "countersign.yaml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_all_of_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read(tmp_path, WHOLE)
    monkeypatch.setenv("COUNTERSIGN_CONFIG", str(tmp_path / "countersign.yaml"))
    equipment = make_equipment(Settings.from_environment(), config)
    assert equipment.raw_calls == {"s3:delete-bucket-policy"}
    assert equipment.scripts is not None
    assert (equipment.scripts.folder, equipment.scripts.user) == (tmp_path / "scripts", "nobody")
    assert equipment.targets["oncall"].get_secret_value() == f"pagerduty://{CANARY}@key"
    assert equipment.messenger is not None
    rules = config.to_policy().protection
    assert (rules.tags, rules.max_targets) == (("countersign:protected=true",), 3)
    with pytest.raises(RefusedError, match="`protection.freezes`"):
        rules.refuse_time(datetime(2026, 12, 24, 12, tzinfo=UTC))
    with pytest.raises(RefusedError, match="Mon, Fri 22:00-04:00 Europe/Berlin"):
        rules.refuse_time(datetime(2026, 11, 24, 12, tzinfo=UTC))


def test_no_secret_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read(tmp_path, WHOLE)
    planner = make_planner(Settings.from_environment(), config)
    shown = f"{config!r} {config} {config.model_dump()} {planner!r} {make_equipment(Settings.from_environment(), config)!r}"
    assert CANARY not in shown
    assert CANARY not in config.model_dump_json()
    [notify] = [action for action in planner.registry.actions() if isinstance(action, Notify)]
    assert CANARY not in f"{notify!r} {vars(notify)}"


def test_without_the_sections_nothing_is_on(tmp_path: Path) -> None:
    equipment = make_equipment(Settings.from_environment(), read(tmp_path, BASE))
    assert (equipment.targets, equipment.scripts, equipment.raw_calls) == ({}, None, frozenset())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("notifications: {oncall: 'file:///tmp/x'}", "notifications.oncall: .*has to begin with one of"),
        ("notifications: {oncall: 'syslog://'}", "has to begin with"),
        ("notifications: {oncall: 'dbus://x'}", "has to begin with"),
        ("notifications: {'on call': 'json://x'}", "notifications: .*each entry is a name"),
        ("notifications: [json://x]", "notifications"),
        ("scripts: {}", "scripts.folder: .*issing"),
        ("scripts: {folder: s, user: 'root; rm'}", "scripts.user"),
        ("scripts: {folder: s, shell: true}", "scripts.shell"),
        ("raw_calls: [delete-bucket-policy]", "raw_calls.0"),
        ("raw_calls: ['s3:*']", "raw_calls.0"),
        ("raw_calls: ['s3:DeleteBucketPolicy']", "raw_calls.0"),
        ("protection: {max_targets: 0}", "protection.max_targets"),
        ("protection: {tags: ['']}", "protection.tags.0"),
        ("protection: {tag: [a]}", "protection.tag: there is no such key; did you mean tags"),
        ("protection: {windows: [{days: [], start: '09:00', end: '10:00'}]}", "days"),
        (
            "protection: {windows: [{days: [mon], start: '09:00', end: '09:00'}]}",
            "start and end are the same",
        ),
        ("protection: {windows: [{days: [monday], start: '09:00', end: '10:00'}]}", "days"),
        ("protection: {windows: [{days: [mon], start: 10:00, end: '11:00'}]}", "start"),
        ("protection: {windows: [{days: [mon], start: '24:00', end: '10:00'}]}", "start"),
        (
            "protection: {windows: [{days: [mon], start: '09:00', end: '10:00', timezone: Mars/Base}]}",
            "“Mars/Base” is no time zone",
        ),
        ("protection: {freezes: [{first: 2026-12-20, last: 2026-12-19}]}", "last is before first"),
        ("protection: {freezes: [{first: soon, last: 2026-12-19}]}", "first"),
        ("protection: {accounts: [123456789012]}", "accounts.0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){says}"):
        read(tmp_path, BASE + text)


@pytest.mark.parametrize(
    "text",
    [
        f"notifications: {{oncall: 'file://{CANARY}'}}",
        f"notifications: {{oncall: '{CANARY}'}}",
        f"notifications: {{oncall: '{CANARY}://x'}}",
        f"notifications: {{'pagerduty://{CANARY}': oncall}}",
        f"notifications: {{oncall: ['json://{CANARY}']}}",
    ],
)
def test_a_mistake_about_a_secret_does_not_repeat_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, BASE + text)
    assert CANARY not in str(caught.value)
