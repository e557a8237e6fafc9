"""`countersign playbook pending | history | status`: what was asked for, read from a shell."""

import json
from pathlib import Path

import pytest

from bot.commands.execution_output import to_dict
from remediation.batches import Batch, LeftOut
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


@pytest.fixture(scope="module")
def with_batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batches")
    url = f"sqlite:///{folder / 'test.db'}"
    stores = stores_at(url)
    items = [an_execution(name, holds=name, batch_id="b-77aa") for name in ("x-0c1d", "x-0c2e")]
    batch = Batch(
        batch_id="b-77aa",
        playbook_id=items[0].playbook_id,
        playbook_name=items[0].playbook_name,
        requester=items[0].requester,
        created_at=items[0].created_at,
        channel="",
        execution_ids=("x-0c1d", "x-0c2e"),
        left_out=(LeftOut(finding="f-9", resource="\x1b[2Jother", why="it is protected"),),
    )
    stores.batches.create(batch, items, [an_event()] * 3)
    stores.close()
    return folder


def test_the_status_of_a_batch_tells_each_item_and_what_was_left_out(with_batch: Path) -> None:
    told = json.loads(countersign(with_batch, "playbook", "status", "B-77", "--json").stdout)
    assert told["batch_id"] == "b-77aa"
    assert [each["status"] for each in told["executions"]] == ["PENDING", "PENDING"]
    assert len(told["set_digest"]) == 64
    read = countersign(with_batch, "playbook", "status", "b-77aa").stdout
    assert "x-0c1d" in read
    assert "it is protected" in read
    assert "\x1b" not in read


def test_lists_name_the_batch_of_an_item(with_batch: Path) -> None:
    assert "b-77aa" in countersign(with_batch, "playbook", "pending").stdout
    listed = json.loads(countersign(with_batch, "playbook", "history", "b-77aa", "--json").stdout)
    assert [each["execution_id"] for each in listed] == ["x-0c1d", "x-0c2e"]
    assert {each["batch_id"] for each in listed} == {"b-77aa"}


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


@pytest.mark.parametrize("words", [("status", "x-9"), ("status", "b-9"), ("history", "f-00000000")])
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
