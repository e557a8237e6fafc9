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
