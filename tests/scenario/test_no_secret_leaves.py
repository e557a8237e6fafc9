"""Every secret the bot knows is planted with a mark of its own; nothing that leaves the bot may carry one."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.conftest import CHANNEL, Stage, start

pytestmark = [pytest.mark.process, pytest.mark.slow]
MARKS = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret-0123456789abcdef",
    "AWS_SESSION_TOKEN": "canary-aws-session-0123456789abcdef",
    "SENDER_PASSWORD": "canary-smtp-password-0123456789ab",
    "COUNTERSIGN_SECRET_KEY": "canary-link-key-0123456789abcdef0123",
}
# Mail is refused there: the bot has to explain that with the password in its hands.
NO_SERVER = {"SMTP_SERVER": "127.0.0.1", "SMTP_PORT": "9", "SENDER_EMAIL": "bot@northwind.example"}


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Stage]:
    yield from start("http", tmp_path, extra={**MARKS, **NO_SERVER})


def use_everything(stage: Stage) -> None:
    finding = stage.make_finding()
    card = stage.ask(finding)
    stage.slack.click("omar", card, "approve")
    done = stage.wait_card(card, "Roll back")
    stage.slack.click("omar", done, "rollback")
    stage.wait_card(card, "Rolled back")
    stage.slack.command(user="ana", channel=CHANNEL, text="/report export json")
    stage.wait(stage.slack.files)
    stage.slack.command(user="ana", channel=CHANNEL, text="/report email ciso@northwind.example")
    stage.wait_private("ana", "SENDER_PASSWORD")


def everything_that_leaves(stage: Stage) -> Iterator[tuple[str, bytes]]:
    for path in stage.folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    for person in ("ana", "omar", "otto"):
        for message in stage.slack.messages(CHANNEL, as_user=person):
            yield f"message to {person}", repr(message).encode()
    for file in stage.slack.files():
        yield file.name, stage.slack.file_content(file.id)
    for words in (
        ("trail", "export"),
        ("playbook", "list", "--json"),
        ("doctor",),
        ("report", "list", "--json"),
    ):
        done = stage.countersign(*words)
        yield " ".join(words), (done.stdout + done.stderr).encode()
    yield from evidence(stage)


def evidence(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Yield each file in the evidence about each fix, as whoever gets the zip reads it."""
    for entry in json.loads(stage.countersign("playbook", "history", "--json").stdout):
        path = stage.folder / f"{entry['execution_id']}.zip"
        done = stage.countersign("trail", "evidence", entry["execution_id"], "-o", str(path))
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path.name}/{name}", archive.read(name)


def test_no_secret_is_in_anything_that_leaves(planted: Stage) -> None:
    use_everything(planted)
    secrets = {
        **MARKS,
        "SLACK_BOT_TOKEN": planted.environment["SLACK_BOT_TOKEN"],
        "SLACK_SIGNING_SECRET": planted.environment["SLACK_SIGNING_SECRET"],
    }
    seen = list(everything_that_leaves(planted))
    assert any(b"execution.approved" in content for _, content in seen), "the search reads what it should"
    assert any(place.endswith(".zip/evidence.html") for place, _ in seen)
    leaks = [
        (place, name)
        for place, content in seen
        for name, secret in secrets.items()
        if secret.encode() in content
    ]
    assert leaks == []
