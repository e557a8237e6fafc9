"""The command line: exit codes, one-line errors, and a start that loads no cloud SDK."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sandbox import SlackStandIn
from tests.conftest import need, sample
from tests.shell import countersign, countersign_process

HEAVY = (
    "boto3",
    "botocore",
    "google.cloud",
    "azure",
    "slack_bolt",
    "sqlalchemy",
    "jinja2",
    "moto",
    "uvicorn",
)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("upgraded")
    assert countersign(folder, "db", "upgrade").returncode == 0
    return folder / "test.db"


@pytest.fixture
def folder(tmp_path: Path, upgraded: Path) -> Path:
    shutil.copy(upgraded, tmp_path)
    return tmp_path


def test_help_loads_no_sdk() -> None:
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom bot.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["audit", "exporters", "remediation", "storage", "handlers.blocks"])
def test_importing_a_package_loads_no_cloud_sdk(package: str) -> None:
    script = f"import sys, {package}\nprint([n for n in ('boto3', 'botocore', 'google.cloud', 'azure') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "count"), [("prowler5_aws.ocsf.json", 5), ("prowler5_kubernetes.ocsf.json", 6)]
)
def test_real_reports_go_in(folder: Path, name: str, count: int) -> None:
    done = countersign(folder, "report", "ingest", str(sample(name)))
    assert done.returncode == 0, done.stderr
    assert f"{count} findings" in done.stdout
    again = countersign(folder, "report", "ingest", str(sample(name)))
    assert "nothing changed" in again.stdout
    listed = json.loads(countersign(folder, "report", "list", "--json").stdout)
    assert [report["summary"]["total_findings"] for report in listed] == [count]


def test_a_wrong_file_is_one_line_and_changes_nothing(folder: Path) -> None:
    wrong = folder / "wrong.json"
    wrong.write_text('{"findings": [{"id": "1"', encoding="utf-8")
    before = countersign(folder, "trail", "verify").stdout
    done = countersign(folder, "report", "ingest", str(wrong))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "wrong.json" in done.stderr
    assert countersign(folder, "report", "list", "--json").stdout.strip() == "[]"
    assert countersign(folder, "trail", "verify").stdout == before


def test_the_others_still_get_their_turn(folder: Path) -> None:
    good = folder / "good.json"
    good.write_text('{"findings": [{"id": "1", "title": "t", "severity": "LOW"}]}', encoding="utf-8")
    done = countersign(folder, "report", "ingest", str(folder / "none.json"), str(good))
    assert done.returncode == 1
    assert "1 findings from good.json" in done.stdout
    assert "No such file" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("report", "export", "docx", "-o", "x"), 1, "no export format"),
        (("report", "show"), 1, "report"),
        (("playbook", "show", "AWS-PUBLC-S3"), 1, "Did you mean AWS-PUBLIC-S3"),
        (("playbook", "plan", "AWS-PUBLIC-S3", "f-00000000"), 1, "COUNTERSIGN_CONFIG"),
        (("playbook", "approve"), 2, ""),
        (("nonsense",), 2, ""),
        (("serve",), 1, "SLACK_BOT_TOKEN is not set"),
    ],
)
def test_what_goes_wrong_is_said_without_a_traceback(
    folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    done = countersign(folder, *words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


PROGRAM = """
import typer
from bot.commands.console import one_line_errors, run

app = typer.Typer(pretty_exceptions_enable=False)

@app.command()
def inside() -> None:
    with one_line_errors():
        raise ZeroDivisionError("xoxb-canary")

@app.command()
def outside() -> None:
    raise ZeroDivisionError("xoxb-canary")

@app.command()
def stopped() -> None:
    with one_line_errors():
        raise typer.Exit(3)

@app.command()
def misused() -> None:
    with one_line_errors():
        raise typer.BadParameter("not like this")

run(app)
"""


@pytest.mark.parametrize("word", ["inside", "outside"])
def test_a_bug_is_one_line_with_a_reference_that_stands_in_the_log(word: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    *_, logged, told = done.stderr.splitlines()
    found = re.fullmatch(r"countersign: something went wrong on our side\. Reference ([0-9a-f]{8})", told)
    assert found
    entry = json.loads(logged)
    assert entry["reference"] == found[1]
    assert "Traceback" in entry["exception"]
    assert "ZeroDivisionError" in entry["exception"]
    assert "xoxb-canary" not in done.stderr


@pytest.mark.parametrize(("word", "code"), [("stopped", 3), ("misused", 2)])
def test_how_commands_end_by_themselves_is_no_bug(word: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Reference" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["playbook list", "playbook list --json", "--help", "report list"])
def test_output_that_nothing_takes_is_one_line(folder: Path, words: str, unbuffered: str) -> None:
    need(Path("/dev/full"), "Linux has it")
    environment = {"DATABASE_URL": f"sqlite:///{folder / 'test.db'}", "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words.split()],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "countersign: cannot write any more: No space left on device\n"


def test_a_reader_who_has_seen_enough_is_no_fault(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "bot", "config", "schema"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_refused_app_token_is_one_line_at_the_start(folder: Path) -> None:
    config = folder / "countersign.yaml"
    config.write_text("policy: {approvers: [S0SEC]}", encoding="utf-8")
    with SlackStandIn.start() as slack:
        done = countersign_process(
            folder,
            "serve",
            SLACK_BOT_TOKEN=slack.workspace.bot_token,
            SLACK_APP_TOKEN="xapp-wrong",
            SLACK_API_URL=slack.api_url,
            COUNTERSIGN_CONFIG=str(config),
            PORT="0",
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "countersign: SLACK_APP_TOKEN was refused by Slack: invalid_auth"
    assert "Traceback" not in done.stderr


def test_a_database_that_is_behind_says_what_to_run(tmp_path: Path) -> None:
    done = countersign(tmp_path, "report", "list")
    assert done.returncode == 1
    assert "countersign db upgrade" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_export_is_recorded_and_the_trail_holds(folder: Path) -> None:
    good = folder / "good.json"
    good.write_text('{"findings": [{"id": "1", "title": "=cmd()", "severity": "LOW"}]}', encoding="utf-8")
    countersign(folder, "report", "ingest", str(good))
    out = folder / "out.csv"
    done = countersign(folder, "report", "export", "csv", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert "'=cmd()" in out.read_text(encoding="utf-8-sig")
    assert "2 entries" in countersign(folder, "trail", "verify").stdout
    lines = [json.loads(line) for line in countersign(folder, "trail", "export").stdout.splitlines()]
    assert [line["event"]["kind"] for line in lines] == ["report.ingested", "report.exported"]


OWN_PLAYBOOK = """\
playbook_id: OUR-S3
name: Ours
finding_category: Storage
severity: HIGH
actions:
  - action_name: block
    action_type: aws
    params: {service: s3, action: put-public-access-block, params: {BlockPublicAcls: true}}
"""


def with_own_playbook(folder: Path, text: str) -> str:
    """Write a configuration with a folder of one playbook; return the configuration's path."""
    (folder / "ours").mkdir()
    (folder / "ours" / "s3.yaml").write_text(text, encoding="utf-8")
    config = folder / "countersign.yaml"
    config.write_text("policy: {approvers: [U0OMAR]}\nplaybooks: ours\n", encoding="utf-8")
    return str(config)


def test_playbooks_of_ones_own_join_the_library(folder: Path) -> None:
    config = with_own_playbook(folder, OWN_PLAYBOOK)
    listed = countersign(folder, "playbook", "list", COUNTERSIGN_CONFIG=config).stdout
    assert "OUR-S3" in listed
    assert "AWS-PUBLIC-S3" in listed
    assert countersign(folder, "config", "check", config).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("action: put-public", "action: putt-public", "s3.yaml:8: action block: no action"),
        ("OUR-S3", "AWS-PUBLIC-S3", "there already is a playbook AWS-PUBLIC-S3"),
    ],
)
def test_a_bad_playbook_of_ones_own_stops_everything(folder: Path, old: str, new: str, says: str) -> None:
    config = with_own_playbook(folder, OWN_PLAYBOOK.replace(old, new))
    for words in (("playbook", "list"), ("config", "check")):
        done = countersign(folder, *words, COUNTERSIGN_CONFIG=config)
        assert (done.returncode, says in done.stderr) == (1, True), done.stderr


def test_lint_says_file_line_and_nearest_name(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(OWN_PLAYBOOK, encoding="utf-8")
    bad.write_text(OWN_PLAYBOOK.replace("severity", "severty"), encoding="utf-8")
    assert countersign(tmp_path, "playbook", "lint", str(good)).stdout == "1 checked, nothing wrong.\n"
    done = countersign(tmp_path, "playbook", "lint", str(good), str(bad), str(tmp_path / "none.yaml"))
    assert done.returncode == 1
    assert f"{bad}:4: severty: there is no such key; did you mean severity?" in done.stderr
    assert f"{tmp_path / 'none.yaml'}: cannot be read (No such file or directory)" in done.stderr
    assert json.loads(countersign(tmp_path, "playbook", "schema").stdout)["title"] == "Countersign playbook"


def test_a_gate_does_not_pass_what_could_not_be_read(folder: Path) -> None:
    odd = folder / "odd.json"
    odd.write_text(
        '{"findings": [{"id": "1", "title": "a", "severity": "LOW"}, {"id": "2", "severity": "CRITICAL"}]}',
        encoding="utf-8",
    )
    countersign(folder, "report", "ingest", str(odd))
    to = ("report", "export", "json", "-o", str(folder / "out.json"))
    assert countersign(folder, *to).returncode == 0
    gate = countersign(folder, *to, "--fail-on", "HIGH")
    assert gate.returncode == 1
    assert "1 malformed findings were left out" in gate.stderr


def test_an_export_wears_the_configured_brand(folder: Path) -> None:
    good = folder / "good.json"
    good.write_text('{"findings": [{"id": "1", "title": "a", "severity": "LOW"}]}', encoding="utf-8")
    countersign(folder, "report", "ingest", str(good))
    config = folder / "countersign.yaml"
    config.write_text(
        """policy: {approvers: [U0OMAR]}
brand: {name: Northwind GmbH, colour: "#aa0055"}
email: {dashboard_url: "https://security.northwind.example"}
""",
        encoding="utf-8",
    )
    for format_name, marks in (("html", ("Northwind GmbH", "#aa0055")), ("email", ("View Dashboard",))):
        out = folder / f"out-{format_name}.html"
        words = ("report", "export", format_name, "-o", str(out))
        done = countersign(folder, *words, COUNTERSIGN_CONFIG=str(config))
        assert done.returncode == 0, done.stderr
        assert all(mark in out.read_text(encoding="utf-8") for mark in marks)


def tamper(folder: Path, *statements: str) -> None:
    """Do what somebody with the database file could do."""
    with sqlite3.connect(folder / "test.db") as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ]
        for statement in (*(f"DROP TRIGGER {name}" for name in names), *statements):
            connection.execute(statement)
    connection.close()


@pytest.fixture
def tampered(folder: Path) -> Path:
    good = folder / "good.json"
    good.write_text('{"findings": [{"id": "1", "title": "t", "severity": "LOW"}]}', encoding="utf-8")
    countersign(folder, "report", "ingest", str(good))
    return folder


@pytest.mark.parametrize("body", ["'{}'", "x'7b7d'", "7", "'\u00e9'"])
def test_an_edited_trail_is_found_whatever_was_put_there(tampered: Path, body: str) -> None:
    tamper(tampered, f"UPDATE trail SET body = {body} WHERE seq = 1")  # noqa: S608 - the test is the attacker
    done = countersign(tampered, "trail", "verify")
    assert done.returncode == 1
    assert "entry 1: its content does not match its hash" in done.stderr
    assert "not protected" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_else_works_until_the_protection_is_back_and_that_is_said(tampered: Path) -> None:
    tamper(tampered)
    assert "not protected" in countersign(tampered, "report", "list").stderr
    upgraded = countersign(tampered, "db", "upgrade")
    assert upgraded.returncode == 0
    assert "was missing and is back" in upgraded.stderr
    assert countersign(tampered, "trail", "verify").returncode == 0


def test_an_empty_report_does_not_become_the_newest(folder: Path) -> None:
    (folder / "empty.json").write_text("[]", encoding="utf-8")
    done = countersign(folder, "report", "ingest", str(folder / "empty.json"))
    assert done.returncode == 1
    assert "empty.json: no findings in it" in done.stderr


def test_a_tail_cut_after_a_head_was_noted_is_found(tampered: Path) -> None:
    second = tampered / "second.json"
    second.write_text('{"findings": [{"id": "2", "title": "u", "severity": "LOW"}]}', encoding="utf-8")
    countersign(tampered, "report", "ingest", str(second))
    noted = countersign(tampered, "trail", "anchor").stdout
    (tampered / "heads.jsonl").write_text(noted, encoding="utf-8")
    held = countersign(tampered, "trail", "verify", "--anchors", str(tampered / "heads.jsonl"))
    assert "as 1 noted heads say" in held.stdout
    tamper(tampered, "DELETE FROM trail WHERE seq = (SELECT max(seq) FROM trail)")
    assert countersign(tampered, "db", "upgrade").returncode == 0
    assert countersign(tampered, "trail", "verify").returncode == 0, "the chain alone cannot see it"
    cut = countersign(tampered, "trail", "verify", "--anchor", noted)
    assert cut.returncode == 1
    assert "its tail was cut" in cut.stderr


def test_evidence_about_nothing_is_one_line_and_no_file(folder: Path) -> None:
    done = countersign(folder, "trail", "evidence", "x-none", "-o", str(folder / "e.zip"))
    assert done.returncode == 1
    assert "there is no execution “x-none”" in done.stderr
    assert not (folder / "e.zip").exists()
