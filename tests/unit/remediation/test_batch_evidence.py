"""The evidence of what was decided as one of a set: the entry that people signed is in it, and every change to it is found."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.anchors import Anchor
from remediation.evidence import write_batch_evidence, write_evidence
from remediation.execution import PlaybookExecution
from tests.fakes.switches import OMAR, PRIYA, START
from tests.unit.remediation.hall import Hall, doors
from tests.unit.remediation.test_evidence import check


@pytest.fixture
def ran(hall: Hall) -> Hall:
    """Three that were asked for together: one taken out, two approved by one word, run and put back."""
    hall.ask(doors(3))
    first = hall.members().executions[0].execution_id
    hall.decisions.reject("b-1", PRIYA, set_seen=hall.seen(), reason="needed", only={first})
    hall.approve(OMAR)
    for execution in hall.members().executions[1:]:
        hall.bench.runner.run(execution.execution_id)
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    return hall


def unpack(hall: Hall, folder: Path, item: PlaybookExecution | None = None) -> Path:
    """Unpack the evidence of an item, or of the whole batch."""
    out, trail = io.BytesIO(), hall.stores.trail.stream()
    if item:
        write_evidence(item, trail, out, now=START)
    else:
        write_batch_evidence(hall.members(), trail, out, now=START)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder)
    return folder


def item_of(hall: Hall, folder: Path) -> Path:
    return unpack(hall, folder, hall.members().executions[1])


def told(folder: Path) -> list[str]:
    lines = (folder / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"]["kind"] for line in lines]


def test_an_item_has_what_was_really_signed_in_it(ran: Hall, tmp_path: Path) -> None:
    folder = item_of(ran, tmp_path)
    assert {"batch.requested", "batch.approved", "batch.rejected", "batch.rollback"} <= set(told(folder))
    done = check(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "evidence.html").read_text(encoding="utf-8")
    assert "Signed as one of a set" in page
    approved = next(
        json.loads(entry.body) for entry in ran.stores.trail.stream() if b'"batch.approved"' in entry.body
    )
    assert approved["detail"]["set_digest"] in page
    assert all(each.execution_id in page for each in ran.members().executions[1:])


def test_what_was_asked_for_alone_says_nothing_of_sets(hall: Hall, tmp_path: Path) -> None:
    hall.ask(doors(2))
    alone = hall.ask(doors(3)[2:], batch_id="b-2")
    item = hall.members("b-2").executions[0]
    folder = unpack(hall, tmp_path, item)
    assert alone.batch_id in (folder / "trail.jsonl").read_text(encoding="utf-8")
    assert "b-1" not in (folder / "trail.jsonl").read_text(encoding="utf-8")
    assert "Signed as one of a set" not in (folder / "evidence.html").read_text(encoding="utf-8")


def test_a_whole_batch_is_one_zip_with_a_folder_for_each_item(ran: Hall, tmp_path: Path) -> None:
    folder = unpack(ran, tmp_path)
    names = [each.execution_id for each in ran.members().executions]
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(names)
    done = check(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(Anchor.of(list(ran.stores.trail.stream())[-1])) in done.stdout
    assert all(name in done.stdout for name in names)
    page = (folder / "evidence.html").read_text(encoding="utf-8")
    assert all(f"{name}/evidence.html" in page for name in names)
    assert "<script" not in page
    assert "Rejected" in page
    assert "Approved" in page


def test_of_a_batch_with_two_signatures_each_is_checked(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.fakes.switches import POLICY

    hall = Hall(policy=replace(POLICY, required_approvals=2))
    hall.ask(doors(2))
    hall.approve(OMAR)
    hall.approve(PRIYA)
    folder = unpack(hall, tmp_path)
    assert told(folder) == ["batch.requested", "batch.signed", "batch.approved"]
    assert check(folder).returncode == 0, check(folder).stdout


def edit(path: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in change(lines)), encoding="utf-8")


def hide_approval(folder: Path) -> None:
    """Leave the entry out that people signed, as if nobody had."""
    edit(
        folder / "trail.jsonl",
        lambda lines: [line for line in lines if line["event"]["kind"] != "batch.approved"],  # type: ignore[index]
    )


def hide_own_word(folder: Path) -> None:
    """Leave out what the execution itself says about its approval."""
    path = folder / "decisions.json"
    decisions = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(
        json.dumps([each for each in decisions if each["verdict"] != "approve"]), encoding="utf-8"
    )
    edit(
        folder / "trail.jsonl",
        lambda lines: [line for line in lines if line["event"]["kind"] != "execution.approved"],  # type: ignore[index]
    )


@pytest.mark.parametrize("tamper", [hide_approval, hide_own_word])
def test_a_signature_that_is_hidden_is_missed(
    ran: Hall, tmp_path: Path, tamper: Callable[[Path], None]
) -> None:
    folder = item_of(ran, tmp_path)
    tamper(folder)
    done = check(folder)
    assert done.returncode == 1
    assert "decided on with others" in done.stdout


def test_an_item_that_is_taken_out_of_the_zip_is_missed(ran: Hall, tmp_path: Path) -> None:
    folder = unpack(ran, tmp_path)
    gone = folder / ran.members().executions[2].execution_id
    gone.rename(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    done = check(folder)
    assert done.returncode == 1
    assert "not the items that were asked for" in done.stdout


def test_two_items_in_each_others_folders_are_found(ran: Hall, tmp_path: Path) -> None:
    folder = unpack(ran, tmp_path)
    first, second = (folder / each.execution_id for each in ran.members().executions[1:])
    first.rename(folder / "between")
    second.rename(first)
    (folder / "between").rename(second)
    done = check(folder)
    assert done.returncode == 1
    assert done.stdout.count("the entries are about another execution") == 2


def test_an_item_that_holds_another_entry_than_the_batch_is_found(ran: Hall, tmp_path: Path) -> None:
    folder = unpack(ran, tmp_path)
    item = folder / ran.members().executions[1].execution_id

    def forge(lines: list[dict[str, object]]) -> list[dict[str, object]]:
        place = next(n for n, line in enumerate(lines) if line["event"]["kind"] == "batch.approved")  # type: ignore[index]
        lines[place]["body_base64"] = lines[0]["body_base64"]
        return lines

    edit(item / "trail.jsonl", forge)
    done = check(folder)
    assert done.returncode == 1
    assert "two folders hold different contents" in done.stdout


def test_a_set_whose_digest_is_not_that_of_its_items_is_found(ran: Hall, tmp_path: Path) -> None:
    folder = item_of(ran, tmp_path)
    script = (folder / "check.py").read_text(encoding="utf-8")
    # The chain would show an edited entry first; so the check itself is asked, with what a forger would have put in.
    code = (
        f"import sys; sys.argv = ['check', {str(folder)!r}]\n{script.replace('__main__', 'never')}\n"
        "event = {'kind': 'batch.approved', 'subject': 'b-1', 'actor': {}, 'detail':\n"
        "  {'set_digest': '0' * 64, 'executions': [['x-1', '1' * 64]]}}\n"
        "asked = {'kind': 'execution.requested', 'subject': 'x-1', 'detail': {}}\n"
        "wrong = []; check_sets([event], [asked], wrong); print(wrong)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert "not that of the items" in done.stdout
