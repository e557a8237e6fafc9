"""`countersign report findings | compare | trend`, in this process and on a real file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit.errors import InputError
from audit.finding_query import parse_query, spell_query
from audit.findings import Severity
from audit.lifecycle import OPEN_STATES, LifecycleState
from bot.cli import app
from tests.conftest import sample


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/shell.db")
    runner = CliRunner()
    for words in (["db", "upgrade"], ["report", "ingest", str(sample("prowler5_aws.ocsf.json"))]):
        assert runner.invoke(app, words).exit_code == 0
    return runner


def test_findings_are_searched_compared_and_counted(shell: CliRunner) -> None:
    found = json.loads(shell.invoke(app, ["report", "findings", "--json", "--limit", "1"]).stdout)
    assert (found["total"], len(found["findings"])) == (2, 1)
    assert found["findings"][0]["state"] == "new"
    assert shell.invoke(app, ["report", "findings", "--offset", "1"]).stdout.count("f-") == 1
    assert "No finding matches." in shell.invoke(app, ["report", "findings", "status:fixed"]).stdout

    compared = json.loads(shell.invoke(app, ["report", "compare", "latest", "--json"]).stdout)
    assert (compared["still_open"]["count"], compared["new"]["count"]) == (2, 0)
    points = json.loads(shell.invoke(app, ["report", "trend", "--json"]).stdout)
    assert [point["failing"]["medium"] for point in points] == [1]


def test_due_dates_are_those_of_the_configuration(
    shell: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overdue() -> int:
        return int(json.loads(shell.invoke(app, ["report", "findings", "overdue", "--json"]).stdout)["total"])

    assert overdue() == 2, "the report is years old"
    config = tmp_path / "config.yaml"
    config.write_text(
        "policy: {approvers: [U0OMAR]}\nsla: {medium_days: null, low_days: 3650}\n", encoding="utf-8"
    )
    monkeypatch.setenv("COUNTERSIGN_CONFIG", str(config))
    assert overdue() == 0


def test_a_typing_error_is_one_line_and_exit_code_1(shell: CliRunner) -> None:
    done = shell.invoke(app, ["report", "findings", "severty:high"])
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "Did you mean severity:?" in done.stderr


def test_words_are_read_and_spelled_alike() -> None:
    words = [
        "severity:high,critical",
        "account:1",
        "region:eu",
        "check:c",
        "status:new",
        "OVERDUE",
        "a b",
        "arn:x",
    ]
    query = parse_query(words)
    assert query.severities == {Severity.HIGH, Severity.CRITICAL}
    assert (query.states, query.overdue, query.text) == ({LifecycleState.NEW}, True, "a b arn:x")
    assert parse_query(spell_query(query)) == query
    assert parse_query([]).states == parse_query(["status:open"]).states == OPEN_STATES
    assert parse_query(["status:all"]).states == frozenset(LifecycleState)


@pytest.mark.parametrize(
    "word", ["severty:high", "severity:hgih", "status:nwe", "overdu", "account:", "x" * 201]
)
def test_words_that_mean_nothing_are_refused(word: str) -> None:
    with pytest.raises(InputError):
        parse_query([word])
