"""Secrets never reach a log line."""

import json
import subprocess
import sys

import pytest

from bot.logs import HIDDEN, redact

CANARIES = [
    "xoxb-1234-abcd",
    "xapp-1-A1-canary",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "Bearer abc.def-ghi",
    "https://hooks.slack.com/services/T1/B1/canary",
    "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize(
    "shape", [str, lambda text: [text], lambda text: {"a": {"b": f"before {text} after"}}]
)
def test_what_looks_like_a_secret_is_hidden_anywhere(canary: str, shape) -> None:  # noqa: ANN001
    said = str(redact(None, "info", {"event": shape(canary)}))
    assert HIDDEN in said
    assert canary not in said


@pytest.mark.parametrize(
    "name", ["password", "SENDER_PASSWORD", "bot_token", "aws_secret_access_key", "response_url"]
)
def test_secret_names_are_hidden_whatever_they_hold(name: str) -> None:
    assert redact(None, "info", {name: "plain"})[name] == HIDDEN
    assert redact(None, "info", {"body": {name: "plain"}})["body"] == {name: HIDDEN}


def test_a_database_address_keeps_its_host_and_loses_its_password() -> None:
    said = redact(None, "info", {"event": "postgresql://me:canary@db/x"})["event"]
    assert said == f"postgresql://{HIDDEN}@db/x"


def test_sdks_stay_quiet_even_under_debug_and_exceptions_are_hidden() -> None:
    script = (
        "import logging, structlog\n"
        "from bot.logs import configure_logs\n"
        "configure_logs(level=logging.DEBUG)\n"
        "logging.getLogger('botocore.parsers').debug('SecretAccessKey canary-1')\n"
        "logging.getLogger('slack_sdk.web').debug('canary-2')\n"
        "try:\n    raise ValueError('xoxb-canary-3')\n"
        "except ValueError:\n    structlog.get_logger().exception('failed', user='ana')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["failed"]
    assert "canary" not in done.stderr
    assert "ValueError" in lines[0]["exception"]
