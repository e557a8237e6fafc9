"""`countersign trail verify`: what it finds against noted heads, and how it says so to a program."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.anchors import Anchor
from storage import Stores, open_engine, upgrade
from tests.fakes.samples import NOW, an_event
from tests.shell import countersign

ENTRIES = 4


@pytest.fixture
def heads(tmp_path: Path) -> list[Anchor]:
    """Return the head after each entry of a trail in the folder's database."""
    migrate(tmp_path)
    stores = Stores.open(url(tmp_path))
    heads = [Anchor.of(stores.trail.record(an_event(number=number))) for number in range(ENTRIES)]
    stores.close()
    return heads


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'test.db'}"


def migrate(folder: Path) -> None:
    engine = open_engine(url(folder))
    upgrade(engine)
    engine.dispose()


def meddle(folder: Path, *statements: str) -> None:
    """Do what the owner of the database can do."""
    engine = open_engine(url(folder))
    with engine.begin() as connection:
        for sql in statements:
            connection.execute(text(sql))
    engine.dispose()


def cut_tail(folder: Path) -> None:
    meddle(folder, "DROP TRIGGER trail_no_delete", f"DELETE FROM trail WHERE seq = {ENTRIES}")  # noqa: S608 - a number of ours
    migrate(folder)  # puts the trigger back, so that nothing else shows


def test_a_whole_trail_holds_against_its_heads(tmp_path: Path, heads: list[Anchor]) -> None:
    file = tmp_path / "anchors.jsonl"
    file.write_text("".join(f"{head.to_line(NOW)}\n" for head in heads[:2]), encoding="utf-8")
    done = countersign(tmp_path, "trail", "verify", "--anchors", str(file), "--anchor", str(heads[-1]))
    assert done.returncode == 0, done.stderr
    assert f"{ENTRIES} entries, head {heads[-1]}, as 3 noted heads say" in done.stdout


def test_a_cut_shows_against_a_noted_head_and_by_nothing_else(tmp_path: Path, heads: list[Anchor]) -> None:
    cut_tail(tmp_path)
    assert countersign(tmp_path, "trail", "verify").returncode == 0
    assert countersign(tmp_path, "trail", "verify", "--anchor", str(heads[-2])).returncode == 0
    done = countersign(tmp_path, "trail", "verify", "--anchor", str(heads[-1]))
    assert done.returncode == 1
    assert "its tail was cut" in done.stderr


def test_a_cut_shows_against_a_file_of_heads(tmp_path: Path, heads: list[Anchor]) -> None:
    cut_tail(tmp_path)
    file = tmp_path / "anchors.jsonl"
    file.write_text(f"{heads[-1].to_line(NOW)}\n", encoding="utf-8")
    done = countersign(tmp_path, "trail", "verify", "--anchors", str(file))
    assert done.returncode == 1
    assert f"entry {ENTRIES}: was noted as the head" in done.stderr


def test_an_edited_entry_is_named(tmp_path: Path, heads: list[Anchor]) -> None:
    assert heads
    meddle(tmp_path, "DROP TRIGGER trail_no_update", "UPDATE trail SET body = x'7b7d' WHERE seq = 2")
    migrate(tmp_path)
    done = countersign(tmp_path, "trail", "verify")
    assert done.returncode == 1
    assert done.stderr.startswith("entry 2: ")


def test_a_trail_that_nothing_protects_is_no_success(tmp_path: Path, heads: list[Anchor]) -> None:
    assert heads
    meddle(tmp_path, "DROP TRIGGER trail_no_delete")
    done = countersign(tmp_path, "trail", "verify")
    assert done.returncode == 1
    assert "trail_no_delete is missing" in done.stderr


def test_an_anchor_that_is_none_is_refused(tmp_path: Path, heads: list[Anchor]) -> None:
    assert heads
    for words in (("--anchor", "12:abc"), ("--anchors", str(tmp_path / "missing"))):
        assert countersign(tmp_path, "trail", "verify", *words).returncode == 1


def test_the_printed_anchor_is_the_head(tmp_path: Path, heads: list[Anchor]) -> None:
    done = countersign(tmp_path, "trail", "anchor")
    assert json.loads(done.stdout)["anchor"] == str(heads[-1])


def configured(folder: Path, heads: list[Anchor] | None) -> str:
    """Write a configuration that names a file of heads, and the file where there are any; return the configuration's path."""
    config = folder / "countersign.yml"
    config.write_text("policy: {approvers: [U0OMAR]}\ntrail: {anchor_file: heads.jsonl}\n", encoding="utf-8")
    if heads is not None:
        lines = "".join(f"{head.to_line(NOW)}\n" for head in heads)
        (folder / "heads.jsonl").write_text(lines, encoding="utf-8")
    return str(config)


def test_the_configured_heads_are_read_without_being_asked_for(tmp_path: Path, heads: list[Anchor]) -> None:
    config = configured(tmp_path, heads)
    done = countersign(tmp_path, "trail", "verify", COUNTERSIGN_CONFIG=config)
    assert done.returncode == 0, done.stderr
    assert f"as {ENTRIES} noted heads say" in done.stdout
    cut_tail(tmp_path)
    done = countersign(tmp_path, "trail", "verify", COUNTERSIGN_CONFIG=config)
    assert done.returncode == 1
    assert "its tail was cut" in done.stderr


@pytest.mark.parametrize("noted", [None, []], ids=["the file is missing", "the file is empty"])
def test_configured_heads_that_are_not_there_fail_the_check(
    tmp_path: Path, heads: list[Anchor], noted: list[Anchor] | None
) -> None:
    config = configured(tmp_path, noted)
    done = countersign(tmp_path, "trail", "verify", COUNTERSIGN_CONFIG=config)
    assert done.returncode == 1
    assert not done.stdout
    assert done.stderr.startswith(f"countersign: trail.anchor_file {tmp_path / 'heads.jsonl'}")
    assert "`countersign trail anchor` prints a line for it" in done.stderr
    other = tmp_path / "other.jsonl"
    other.write_text(f"{heads[0].to_line(NOW)}\n", encoding="utf-8")
    done = countersign(tmp_path, "trail", "verify", "--anchors", str(other), COUNTERSIGN_CONFIG=config)
    assert done.returncode == 0, done.stderr


def test_a_configuration_that_cannot_be_read_fails_the_check(tmp_path: Path, heads: list[Anchor]) -> None:
    assert heads
    done = countersign(tmp_path, "trail", "verify", COUNTERSIGN_CONFIG=str(tmp_path / "none.yml"))
    assert done.returncode == 1
    assert "none.yml cannot be read" in done.stderr


def test_without_any_noted_head_that_is_said(tmp_path: Path, heads: list[Anchor]) -> None:
    assert heads
    assert "no head was noted that it could be held to" in countersign(tmp_path, "trail", "verify").stdout
