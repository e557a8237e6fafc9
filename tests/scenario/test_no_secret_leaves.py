"""Every secret the bot knows is planted with a mark of its own; nothing that leaves the bot may carry one."""

import json
import sqlite3
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bot.sandbox.records import Message
from exporters.formats import export_formats
from tests.contract.conftest import a_schema
from tests.scenario.conftest import CHANNEL, Stage, start
from tests.scenario.planted import IN_FILES, TENANT, Planted, database_of_nobody, leaks, run_apart
from tests.shell import run_in

pytestmark = [pytest.mark.process, pytest.mark.slow]
PEOPLE = ("ana", "omar", "otto", "priya")
# Everything that the command line tells without changing anything.
WORDS = (
    ("trail", "export"),
    ("trail", "verify"),
    ("playbook", "list", "--json"),
    ("playbook", "show", "BLOCK-AND-PAGE"),
    ("playbook", "permissions"),
    ("playbook", "history", "--json"),
    ("report", "list", "--json"),
    ("report", "findings", "--json"),
    ("schedule", "list", "--json"),
    ("config", "schema"),
    ("doctor",),
)
# In a process of its own, with logs as talkative as they get: what doctor tries, what things say of themselves, and how a crash ends.
TELL_ALL = """
import logging
from bot.logs import configure_logs
configure_logs(level=logging.DEBUG)
from bot.app import Bot
from bot.client import make_client
from bot.config import read_config
from bot.doctor import examine
from bot.mail import make_email_service
from bot.planning import make_equipment
from bot.settings import Settings
from audit.errors import CountersignError
from remediation.actions.apprise_targets import send
from storage import Stores
settings = Settings.from_environment()
config = read_config(settings.countersign_config)
for check in examine(settings):
    print(check)
for name, url in config.notifications.items():
    try:
        send(url, "Hello", name=name)
    except CountersignError as error:
        logging.getLogger("told").exception("not sent")
stores = Stores.open(settings.database_url)
bot = Bot(settings, config, stores)
clouds = config.accounts.to_clouds()
known = [settings, config, config.to_policy(), stores, stores.database.engine, clouds, clouds.aws, clouds.gcp, clouds.azure]
known += [bot, bot.services, bot.page, bot.app, make_client(settings), make_equipment(settings, config), make_email_service(settings, config)]
for each in known:
    print(type(each).__name__, repr(each), str(each))
raise RuntimeError("the end", known)
"""


@pytest.fixture(params=["http, SQLite", "socket, Postgres"])
def stage(request: pytest.FixtureRequest, tmp_path: Path, hidden: Planted) -> Iterator[Stage]:
    """Run a bot that knows all of it. Postgres is asked with a password that it does not need."""
    mode, _, database = request.param.partition(", ")
    environment = dict(hidden.environment)
    if database == "SQLite":
        yield from start(mode, tmp_path / "bot", extra=environment, workspace=hidden.workspace)
        return
    with a_schema(request.getfixturevalue("postgres")) as url:
        environment["DATABASE_URL"] = url.replace("countersign@", f"countersign:{IN_FILES['database']}@")
        yield from start(mode, tmp_path / "bot", extra=environment, workspace=hidden.workspace)


def use_everything(stage: Stage) -> None:
    """Let people do what people do, and things go wrong with each secret in hand."""
    card = stage.ask(stage.make_finding())
    stage.slack.click("omar", card, "approve")
    done = stage.wait_card(card, "Roll back")
    stage.slack.click("omar", done, "rollback")
    stage.wait_card(card, "Rolled back")
    approve(stage, "BLOCK-AND-PAGE", "oncall")
    approve(stage, "SHOW-ENVIRONMENT", "I was given")
    stage.slack.command(user="ana", channel=CHANNEL, text="/report export json")
    stage.wait(stage.slack.files)
    stage.slack.command(user="ana", channel=CHANNEL, text="/report email ciso@northwind.example")
    stage.wait_private("ana", "SENDER_PASSWORD")
    stage.slack.open_home("omar")
    stage.wait(lambda: [call for call in stage.slack.calls if call.method == "views.publish"])


def approve(stage: Stage, playbook: str, words: str) -> Message:
    """Have a playbook run to its failure; return its card."""
    card = stage.ask(stage.make_finding(), playbook=playbook)
    stage.slack.click("omar", card, "approve")
    stage.wait_card(card, "ailed")

    def told() -> Message | None:
        said = stage.slack.thread(CHANNEL, card.ts)
        return next((each for each in said if words in each.words), None)

    return stage.wait(told)


def break_it(stage: Stage) -> None:
    """Have the bot meet what nobody foresaw, so that a traceback is written: a row that makes no sense."""
    name = json.loads(stage.countersign("playbook", "history", "--json").stdout)[0]["execution_id"]
    with closing(sqlite3.connect(stage.folder / "countersign.db")) as database, database:
        database.execute("UPDATE executions SET body = '[]' WHERE execution_id = ?", (name,))
    stage.slack.command(user="ana", channel=CHANNEL, text="/playbook history")
    stage.wait_private("ana", "eference")
    assert "Traceback" in stage.log


def everything_that_leaves(stage: Stage, hidden: Planted) -> Iterator[tuple[str, bytes]]:
    yield from ((f"{call.method} {call.args}", b"") for call in stage.slack.calls)
    for person in PEOPLE:
        for place in (CHANNEL, f"@{person}"):
            for message in stage.slack.messages(place, as_user=person):
                yield f"message to {person}", repr(message).encode()
        for view in stage.slack.views(person):
            yield f"window of {person}", repr(view).encode()
    for file in stage.slack.files():
        yield file.name, stage.slack.file_content(file.id)
    for page in ("metrics", "healthz", "readyz"):
        with urllib.request.urlopen(f"{stage.slack.bot_url}/{page}") as answer:  # noqa: S310 - our own server
            yield page, answer.read()
    for words in WORDS:
        done = stage.countersign(*words)
        yield " ".join(words), (done.stdout + done.stderr).encode()
    yield from exports(stage)
    yield from evidence(stage)
    yield from error_lines(stage, hidden)
    told = tell_all({**stage.environment, **hidden.behind_a_proxy})
    tried = (b"name='gcp', is_well=False", b"name='azure " + TENANT.encode() + b"', is_well=False")
    assert all(each in told for each in tried), told
    yield "everything told", told
    yield "everything told, keys in files", tell_all({**stage.environment, **hidden.with_files_alone})
    for path in stage.folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def exports(stage: Stage) -> Iterator[tuple[str, bytes]]:
    for name in export_formats():
        done = stage.countersign(
            "report", "export", name, "latest", "-o", str(stage.folder / f"export.{name}")
        )
        yield f"export {name}", (done.stdout + done.stderr).encode()
        assert done.returncode == 0, done.stderr


def evidence(stage: Stage) -> Iterator[tuple[str, bytes]]:
    """Yield each file in the evidence about each fix, as whoever gets the zip reads it."""
    for entry in json.loads(stage.countersign("playbook", "history", "--json").stdout):
        path = stage.folder / f"{entry['execution_id']}.zip"
        done = stage.countersign("trail", "evidence", entry["execution_id"], "-o", str(path))
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path.name}/{name}", archive.read(name)


def error_lines(stage: Stage, hidden: Planted) -> Iterator[tuple[str, bytes]]:
    """Yield what is said of settings that cannot be right."""
    nobody = database_of_nobody()
    wrong = (
        {"DATABASE_URL": nobody},
        {"DATABASE_URL": nobody.replace("postgresql+psycopg", "oracle")},
        {"DATABASE_URL": nobody.replace("127.0.0.1:9", "[::1")},
        {"SLACK_BOT_TOKEN": hidden.marks["SLACK_APP_TOKEN"]},
        {"SLACK_BOT_TOKEN": hidden.marks["SLACK_BOT_TOKEN"] + "-revoked"},
        {"SENDER_PASSWORD": hidden.marks["SENDER_PASSWORD"] + "ü"},
        {"COUNTERSIGN_SECRET_KEY": hidden.marks["COUNTERSIGN_SECRET_KEY"][:31]},
    )
    for how in wrong:
        done = run_in({**stage.environment, **how}, "doctor")
        yield f"doctor with another {next(iter(how))}", (done.stdout + done.stderr).encode()


def tell_all(environment: Mapping[str, str]) -> bytes:
    done = run_apart(environment, "-c", TELL_ALL)
    assert b"the end" in done.stderr, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_no_secret_is_in_anything_that_leaves(stage: Stage, hidden: Planted) -> None:
    use_everything(stage)
    seen = list(everything_that_leaves(stage, hidden))
    if "sqlite" in stage.environment["DATABASE_URL"]:
        break_it(stage)
        seen.append(("the log after a crash", stage.log.encode()))
    assert any(b"execution.approved" in content for _, content in seen), "the search reads what it should"
    assert any(place.endswith(".zip/evidence.html") for place, _ in seen)
    assert any("anchors" in place for place, _ in seen)
    assert leaks(seen, hidden.marks) == set()
