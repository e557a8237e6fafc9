"""The evidence stands on its own: a stranger's Python finds every change to it."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.anchors import Anchor
from audit.errors import NotFoundError
from audit.trail import TrailEntry
from remediation.evidence import write_evidence
from remediation.execution import PlaybookExecution
from remediation.journal import InHand
from remediation.memory import MemoryExecutions
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA, START, Bench, door_finding, door_playbook
from tests.unit.remediation.power import cut_power, run_until_cut

HOSTILE = "<script>alert(1)</script> & \u202e"


@pytest.fixture
def store() -> MemoryExecutions:
    return MemoryExecutions()


@pytest.fixture
def ran(store: MemoryExecutions) -> PlaybookExecution:
    """One execution between others, run and put back."""
    bench = Bench(store)
    bench.remediation.request(door_playbook(), replace(door_finding(), resource="board/hall"), ANA)
    hostile = replace(door_finding(), title=HOSTILE)
    asked = bench.remediation.request(door_playbook(), hostile, ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    bench.runner.run(asked.execution_id)
    bench.remediation.request(door_playbook(), replace(door_finding(), resource="board/gate"), ANA)
    return bench.runner.roll_back(asked.execution_id, OMAR)


def unpack(execution: PlaybookExecution, trail: list[TrailEntry], folder: Path) -> Path:
    out = io.BytesIO()
    write_evidence(execution, trail, out, now=START)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder)
    return folder


def check(folder: Path) -> "subprocess.CompletedProcess[str]":
    # -I -S: no package of ours or anybody's within reach.
    command = [sys.executable, "-I", "-S", str(folder / "check.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_holds_and_names_the_head(ran: PlaybookExecution, store: MemoryExecutions, tmp_path: Path) -> None:
    done = check(unpack(ran, store.trail, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(Anchor.of(store.trail[-1])) in done.stdout
    assert ran.plan is not None
    assert ran.plan.digest in done.stdout


def test_who_joined_and_who_took_it_over_are_in_it_and_it_holds(
    store: MemoryExecutions, tmp_path: Path
) -> None:
    bench = Bench(store)
    name = bench.remediation.request(door_playbook(), door_finding(), ANA).execution_id
    assert bench.remediation.request(door_playbook(), door_finding(), OTTO).execution_id == name
    bench.remediation.approve(name, OMAR)
    cut_power(bench, "after write")
    run_until_cut(bench, name)
    bench.remediation.request(door_playbook(), door_finding(), PRIYA)
    heir = replace(bench.runner.journal, owner="boot-heir")
    ended = replace(bench.runner, journal=heir, in_hand=InHand()).recover(name)
    done = check(unpack(ended, store.trail, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    told = (tmp_path / "trail.jsonl").read_text()
    assert all(f'"{kind}"' in told for kind in ("execution.joined", "execution.taken_over"))


def test_everything_is_in_it_and_nothing_of_other_executions(
    ran: PlaybookExecution, store: MemoryExecutions, tmp_path: Path
) -> None:
    folder = unpack(ran, store.trail, tmp_path)
    actions = json.loads((folder / "actions.json").read_text(encoding="utf-8"))
    assert actions[0]["before"] == {"door": "open"}
    assert actions[0]["request_ids"] == ["req-1"]
    decisions = json.loads((folder / "decisions.json").read_text(encoding="utf-8"))
    assert [decision["verdict"] for decision in decisions] == ["approve", "roll_back"]
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    others = {entry.body for entry in store.trail if ran.execution_id.encode() not in entry.body}
    assert others
    assert all(json.loads(body)["subject"].encode() not in everything for body in others)


def test_the_page_escapes_what_came_from_outside(
    ran: PlaybookExecution, store: MemoryExecutions, tmp_path: Path
) -> None:
    page = (unpack(ran, store.trail, tmp_path) / "evidence.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "omar@northwind.example" in page


def edit_body(folder: Path) -> None:
    path = folder / "trail.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[0]["body_base64"] = lines[1]["body_base64"]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def drop_link(folder: Path) -> None:
    path = folder / "chain.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]), encoding="utf-8")


def edit_link(folder: Path) -> None:
    path = folder / "chain.jsonl"
    text = path.read_text(encoding="utf-8")
    digest = json.loads(text.splitlines()[-1])["body_sha256"]
    path.write_text(text.replace(digest, digest[::-1]), encoding="utf-8")


def drop_link_of_another(folder: Path) -> None:
    """Drop a link that is about another execution: only the order of the chain shows it."""
    entries = (folder / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    own = {json.loads(line)["seq"] for line in entries}
    path = folder / "chain.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    others = [line for line in lines if json.loads(line)["seq"] not in own]
    assert others
    path.write_text("".join(line for line in lines if line != others[0]), encoding="utf-8")


def edit_head(folder: Path) -> None:
    path = folder / "chain.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[-1]["hash"] = "0" * 64
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def cut_chain(folder: Path) -> None:
    """Cut the tail, with entries of ours in it."""
    path = folder / "chain.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-2]), encoding="utf-8")


def edit_plan_and_signature(folder: Path) -> None:
    """Make it look as if people had signed another plan than the one that ran."""
    edit_plan(folder)
    signed = hashlib.sha256((folder / "signed-plan.json").read_bytes()).hexdigest()
    path = folder / "decisions.json"
    decisions = json.loads(path.read_text(encoding="utf-8"))
    decisions[0]["plan_digest"] = signed
    path.write_text(json.dumps(decisions), encoding="utf-8")


def edit_plan(folder: Path) -> None:
    path = folder / "signed-plan.json"
    path.write_bytes(path.read_bytes().replace(b'"closed"', b'"ajar"'))


def edit_signature(folder: Path) -> None:
    path = folder / "decisions.json"
    decisions = json.loads(path.read_text(encoding="utf-8"))
    decisions[0]["plan_digest"] = "0" * 64
    path.write_text(json.dumps(decisions), encoding="utf-8")


TAMPERING = (
    edit_body,
    drop_link,
    drop_link_of_another,
    edit_link,
    edit_head,
    cut_chain,
    edit_plan,
    edit_plan_and_signature,
    edit_signature,
)


@pytest.mark.parametrize("tamper", TAMPERING)
def test_every_change_is_found(
    ran: PlaybookExecution, store: MemoryExecutions, tmp_path: Path, tamper: Callable[[Path], None]
) -> None:
    folder = unpack(ran, store.trail, tmp_path)
    tamper(folder)
    done = check(folder)
    assert done.returncode == 1
    assert "WRONG" in done.stdout


def test_an_entry_that_somebody_edited_in_the_database_is_told(
    ran: PlaybookExecution, store: MemoryExecutions, tmp_path: Path
) -> None:
    place = next(n for n, entry in enumerate(store.trail) if b"execution.approved" in entry.body)
    edited = list(store.trail)
    edited[place] = replace(edited[place], body=edited[place].body.replace(b"omar", b"otto"))
    assert check(unpack(ran, edited, tmp_path)).returncode == 1


def test_the_same_evidence_is_the_same_bytes(ran: PlaybookExecution, store: MemoryExecutions) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    for out in (first, second):
        write_evidence(ran, store.trail, out, now=START)
    assert first.getvalue() == second.getvalue()


def test_without_an_entry_there_is_no_evidence(ran: PlaybookExecution) -> None:
    with pytest.raises(NotFoundError, match="no entry"):
        write_evidence(ran, [], io.BytesIO(), now=START)
