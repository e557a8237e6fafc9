"""The demo: the real bot as a child process, between a stand-in for Slack and a stand-in for AWS.

It must never touch a real cloud. Parent and child begin with a cleared environment and dummy credentials, own a
database in a temporary folder, and refuse any connection that leaves this machine.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer

from audit.errors import CountersignError
from bot.loopback import fence_in
from bot.sandbox.cloud import REGION, DemoCloud, demo_cloud
from bot.sandbox.dropped import drop_scan
from bot.sandbox.inbox import Inbox
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.tour import demo_report, page_setup

START_WITHIN_S = 180
STOP_WITHIN_S = 20
_LOOK_UP_S = 0.2
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
SENDER = "countersign@northwind.example"
CONFIG = """\
# The demo's configuration: Ana and the members of one user group approve, and critical findings only that group, sooner.
environment: demo
channel: C0SECURITY
policy:
  approvers: [S0SEC, U0ANA]
  rules:
    - severities: [critical]
      approvers: [S0SEC]
      expires_after_minutes: 240
"""


def run_demo(*, port: int = 0) -> None:
    """Start everything, print the address, run until Ctrl-C.

    Raises:
        CountersignError: the bot did not start; what it said is in the text.
    """
    clear_environment()
    fence_in()
    typer.echo("Starting a small cloud …")
    with tempfile.TemporaryDirectory(prefix="countersign-demo-") as folder, demo_cloud() as cloud:
        typer.echo("Starting a small Slack and an inbox …")
        with Inbox.start() as inbox, SlackStandIn.start(port=port, page=page_setup(cloud, inbox)) as slack:
            typer.echo("Starting the bot …")
            with running_bot(slack, cloud, Path(folder), inbox=inbox):
                drop_scan(slack)
                told = _heed_signals()
                typer.echo(f"\n  Open  {slack.page_url}\n\n  Ctrl-C ends the demo; nothing is kept.")
                while not told:
                    time.sleep(_LOOK_UP_S)
                typer.echo("Stopping …")


def clear_environment() -> None:
    """Forget every variable but the few a process needs to run at all."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    os.environ.clear()
    os.environ.update(kept)


@contextmanager
def running_bot(
    slack: SlackStandIn,
    cloud: DemoCloud,
    folder: Path,
    *,
    inbox: Inbox | None = None,
    extra: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the served bot on a database of its own with the demo report in it.

    With an `inbox` its mails go there. `extra` adds to its environment: `SLACK_APP_TOKEN` makes it come by Socket Mode.

    Raises:
        CountersignError: it did not start; what it said is in the text.
    """
    environment = bot_environment(slack, cloud, folder, inbox=inbox) | dict(extra or {})
    with demo_report() as report:
        for words in (["db", "upgrade"], ["report", "ingest", str(report)]):
            _run(words, environment)
    with serving_bot(slack, environment, folder / "bot.log") as child:
        yield child


@contextmanager
def serving_bot(
    slack: SlackStandIn, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the served bot on the database that is there; what it says is added to `log`.

    Raises:
        CountersignError: it did not start; what it said is in the text.
    """
    with log.open("ab") as said:
        child = subprocess.Popen(_command("serve"), env=environment, stdout=said, stderr=said)  # noqa: S603 - ourselves
    try:
        _wait_until_ready(child, environment["PORT"], log)
        slack.bot_url = f"http://127.0.0.1:{environment['PORT']}"
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def bot_environment(
    slack: SlackStandIn, cloud: DemoCloud, folder: Path, *, inbox: Inbox | None = None
) -> dict[str, str]:
    """Return all that the bot may know: the stand-ins' addresses and dummy credentials."""
    config = folder / "countersign.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    nowhere, port = str(folder / "none"), str(_free_port())
    return kept | {
        "COUNTERSIGN_LOOPBACK_ONLY": "1",
        "COUNTERSIGN_CONFIG": str(config),
        "DATABASE_URL": f"sqlite:///{folder / 'countersign.db'}",
        "PORT": port,
        "COUNTERSIGN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.workspace.bot_token,
        "SLACK_SIGNING_SECRET": slack.workspace.signing_secret,
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "COUNTERSIGN_SECRET_KEY": secrets.token_hex(32),
        **(_mail_environment(inbox) if inbox else {}),
    }


def _mail_environment(inbox: Inbox) -> dict[str, str]:
    return {"SMTP_SERVER": "127.0.0.1", "SMTP_PORT": str(inbox.port), "SENDER_EMAIL": SENDER}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bot", *words]


def _run(words: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(_command(*words), env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    if done.returncode:
        raise CountersignError(f"the demo could not start: {done.stderr.strip()}")


def _wait_until_ready(child: subprocess.Popen[bytes], port: str, log: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until and child.poll() is None:
        if _is_ready(port):
            return
        time.sleep(0.1)
    raise CountersignError(f"the bot did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def _is_ready(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's word for yes
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _heed_signals() -> list[int]:
    """Return what holds a signal as soon as somebody ends the demo, from now on.

    No lock is involved: one that a signal comes upon half taken, or just before it is waited for, would wait for ever.
    """
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: told.append(number))
    return told
