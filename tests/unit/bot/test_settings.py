"""A missing token or a wrong setting is one line that names it and says what to do."""

from pathlib import Path

import pytest

from audit.errors import ConfigError
from bot.config import Config, read_config
from bot.settings import Settings, is_loopback

GOOD = "policy: {approvers: [S0SEC, U0OMAR, omar@northwind.example]}\nchannel: C0SECURITY\n"


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "SLACK_BOT_TOKEN is not set"),
        ({"SLACK_BOT_TOKEN": " "}, "SLACK_BOT_TOKEN is not set"),
        ({"SLACK_BOT_TOKEN": "xoxp-1"}, "SLACK_BOT_TOKEN does not begin with xoxb-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET is not set"),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-2"},
            "SLACK_APP_TOKEN does not begin with xapp-",
        ),
        (
            {
                "SLACK_BOT_TOKEN": "xoxb-1",
                "SLACK_SIGNING_SECRET": "s",
                "COUNTERSIGN_LOOPBACK_ONLY": "1",
            },
            "SLACK_API_URL",
        ),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        settings(monkeypatch, **variables).require_slack()


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="^PORT: "):
        settings(monkeypatch, PORT="http")


@pytest.mark.parametrize(
    "url",
    ["", "slack.com/api", "ftp://slack.com/api/", "https://", "https://slack.com:http/api/", "http://[x/"],
)
def test_what_is_no_address_of_an_api_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ConfigError, match="^SLACK_API_URL: "):
        settings(monkeypatch, SLACK_API_URL=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-canary"),
        ("SLACK_APP_TOKEN", "xapp-canary"),
        ("SLACK_SIGNING_SECRET", "canary"),
        ("COUNTERSIGN_SECRET_KEY", "canary" * 8),
        ("DATABASE_URL", "postgresql://bot:canary@db.example/countersign"),
    ],
)
def test_no_secret_shows(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    read = settings(monkeypatch, **{name: value})
    assert "canary" not in f"{read!r} {read}"


def test_the_api_url_ends_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, SLACK_API_URL="https://slack-gov.com/api").slack_api_url.endswith("/api/")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:3000/", True),
        ("http://[::1]:1/", True),
        ("http://localhost/", True),
        ("http://127.0.0.1.example.com/", False),
        ("http://localhost.example/", False),
        ("https://slack.com/api/", False),
        ("http://user@127.0.0.1@example.com/", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def write(folder: Path, text: str) -> Path:
    path = folder / "countersign.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_policy_is_read(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, GOOD))
    policy = config.to_policy()
    assert policy.approver_groups == {"S0SEC"}
    assert policy.approvers == {"U0OMAR", "omar@northwind.example"}
    assert not policy.allow_self_approval
    assert not policy.anyone_else_may_approve


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file"),
        ("policy: {}", "policy.approvers"),
        ("policy: {approvers: []}", "policy.approvers"),
        ("policy: {approvers: [someone]}", "policy.approvers.0"),
        ("policy: {approvers: [U0OMAR], aprovals: 2}", "policy.aprovals"),
        ("policy: {approvers: [U0OMAR], required_approvals: 0}", "required_approvals"),
        ("policy: {approvers: [U0OMAR]}\npolicy: {approvers: [U0OTTO]}", "line 2.*twice"),
        ("policy: [", "line 1"),
        ("policy: 2026-13-45", "line 1, column 9"),
        ("channel: '#security'\npolicy: {approvers: [U0OMAR]}", "channel"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)countersign.yaml.*{says}"):
        read_config(write(tmp_path, text))


def test_no_file_is_no_permission(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="COUNTERSIGN_CONFIG is not set"):
        read_config(None)
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(tmp_path / "binary.yaml")


def test_the_schema_describes_the_policy() -> None:
    assert "PolicySection" in str(Config.model_json_schema())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("policy: {aprovers: [U1]}", "policy.aprovers: there is no such key; did you mean approvers"),
        ("policy: {approvers: [bob]}", "“bob” cannot be used .Slack member ids"),
        ("policy: {}", "policy.approvers: is missing .Slack member ids"),
        ("", "says nothing we can use"),
    ],
)
def test_what_to_write_instead_is_said(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_config(write(tmp_path, text))
