"""What evidence shows only beside something from elsewhere: a head that was noted, or the whole trail."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from tests.unit.remediation.proofs import check_with, live, put_back, write


def test_what_came_later_and_is_left_out_shows_against_the_whole_trail_alone(tmp_path: Path) -> None:
    lived = live()
    earlier = write(lived.ran, lived.trail_then, tmp_path / "earlier")
    assert check_with(earlier, "--trail", str(earlier.trail))()[0] == 0
    whole = write(lived.back, lived.trail, tmp_path / "whole").trail
    code, said = check_with(earlier, "--trail", str(whole))()
    assert code == 1
    assert "rollback.started, is about this and is not here" in said


def test_a_whole_trail_without_its_beginning_is_none(tmp_path: Path) -> None:
    of = put_back(tmp_path)
    lines = of.trail.read_text(encoding="utf-8").splitlines(keepends=True)
    of.trail.write_text("".join(lines[1:]), encoding="utf-8")
    code, said = check_with(of, "--trail", str(of.trail))()
    assert code == 1
    assert "its first entry is missing" in said


def test_a_chain_that_was_made_anew_shows_against_an_anchor_alone(tmp_path: Path) -> None:
    of, other = put_back(tmp_path / "true"), live(reason="As I like")
    forged = write(other.back, other.trail, tmp_path / "forged")
    assert check_with(forged)()[0] == 0
    assert check_with(of, "--anchor", of.anchor)()[0] == 0
    code, said = check_with(forged, "--anchor", of.anchor)()
    assert code == 1
    assert "the trail was rewritten" in said
    for anchor in (f"99:{'0' * 64}", "no anchor"):
        assert check_with(of, "--anchor", anchor)()[0] == 1


def relink(folder: Path, change: Callable[[list[dict[str, str]]], None]) -> None:
    """Change the chain, and make all its hashes anew, so that each link follows the one before it."""
    path = folder / "chain.jsonl"
    links = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(links)
    before = links[0]["previous_hash"]
    for link in links:
        link["previous_hash"] = before
        link["hash"] = before = sha256(bytes.fromhex(before + link["body_sha256"])).hexdigest()
    path.write_text("".join(f"{json.dumps(link)}\n" for link in links), encoding="utf-8")


def test_a_chain_with_another_beginning_than_nothing_is_none(tmp_path: Path) -> None:
    of = put_back(tmp_path)
    relink(of.folder, lambda links: links[0].update(previous_hash="11" * 32))
    code, said = check_with(of)()
    assert code == 1
    assert said.count("WRONG") == 1
    assert "entry 1 is the first of all" in said


def test_another_entry_of_somebody_elses_shows_against_the_whole_trail(tmp_path: Path) -> None:
    of = put_back(tmp_path)
    relink(of.folder, lambda links: links[-1].update(body_sha256="11" * 32))
    assert check_with(of)()[0] == 0
    code, said = check_with(of, "--trail", str(of.trail))()
    assert code == 1
    assert f"WRONG: entry {of.head} is another one in the trail" in said


def test_a_trail_that_ends_before_the_chain_is_not_the_whole_one(tmp_path: Path) -> None:
    of = put_back(tmp_path)
    lines = of.trail.read_text(encoding="utf-8").splitlines(keepends=True)
    of.trail.write_text("".join(lines[:-1]), encoding="utf-8")
    code, said = check_with(of, "--trail", str(of.trail))()
    assert code == 1
    assert "the trail ends before the chain that is here" in said
