"""`countersign playbook pending | history | status`: what was asked for, read from a shell."""

import json
from pathlib import Path

import pytest

from bot.commands.executions import to_dict
from tests.databases import stores_at
from tests.fakes.samples import an_event, an_execution
from tests.shell import countersign
from tests.unit.handlers import cards


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("executions")
    url = f"sqlite:///{folder / 'test.db'}"
    stores = stores_at(url)
    stores.executions.create(an_execution("x-0a1b", error="\x1b[2Jno"), an_event())
    stores.close()
    return folder


@pytest.mark.parametrize(
    "words", [("pending",), ("history",), ("history", "aws-public-s3"), ("history", "scanner-1")]
)
def test_lists(folder: Path, words: tuple[str, ...]) -> None:
    listed = json.loads(countersign(folder, "playbook", *words, "--json").stdout)
    assert [(entry["execution_id"], entry["status"]) for entry in listed] == [("x-0a1b", "PENDING")]
    assert "x-0a1b" in countersign(folder, "playbook", *words).stdout


def test_status_by_the_beginning_of_an_id(folder: Path) -> None:
    told = json.loads(countersign(folder, "playbook", "status", "X-0", "--json").stdout)
    assert told["changes"] == [
        {
            "resource": "arn:aws:s3:::public-data-1",
            "setting": "BlockPublicAcls",
            "before": False,
            "after": True,
        }
    ]
    assert len(told["plan_digest"]) == 64
    read = countersign(folder, "playbook", "status", "x-0a1b").stdout
    assert "BlockPublicAcls" in read
    assert "\x1b" not in read


@pytest.mark.parametrize("words", [("status", "x-9"), ("history", "f-00000000")])
def test_what_is_not_there_is_said(folder: Path, words: tuple[str, ...]) -> None:
    done = countersign(folder, "playbook", *words)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_shell_has_no_word_that_decides(folder: Path) -> None:
    for word in ("approve", "reject", "rollback"):
        assert countersign(folder, "playbook", word, "x-0a1b").returncode == 2


def test_a_rollback_that_waits_is_told_with_who_signed_it() -> None:
    told = to_dict(cards.rollback_asked())["rollback"]
    assert isinstance(told, dict)
    assert told["signed_by"] == ["omar@northwind.example"]
    assert told["settings"][0] == {"setting": "BlockPublicAcls", "was": None, "we_set": True, "now": True}
    assert to_dict(cards.pending())["rollback"] is None
