"""Every field of every file in the evidence is changed, removed, doubled and swapped: `check.py` finds it, or it stands in a short list."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.errors import Cause, PermanentActionError
from remediation.memory import MemoryExecutions
from tests.fakes.switches import ANA, OMAR, OTTO, Bench, door_finding, door_playbook
from tests.unit.remediation.mutations import Mutation, apply, mutate_folder
from tests.unit.remediation.proofs import (
    Unpacked,
    check_with,
    decided_together,
    forget,
    joined,
    live,
    put_back,
    write,
)

Fits = Callable[[Mutation, Unpacked], bool]


def _no_proof(mutation: Mutation, _of: Unpacked) -> bool:
    return mutation.file.rpartition("/")[2] in {"evidence.html", "README.txt", "check.py"}


def _nothing_said(mutation: Mutation, _of: Unpacked) -> bool:
    return mutation.how == "deleted" and mutation.was in (None, False, 0, "", [])


def _end_of_chain(mutation: Mutation, of: Unpacked) -> bool:
    is_gone = mutation.file == "chain.jsonl" and mutation.how == "deleted" and len(mutation.at) == 1
    return is_gone and isinstance(mutation.was, dict) and mutation.was["seq"] == of.head


def _unnumbered(mutation: Mutation, _of: Unpacked) -> bool:
    is_gone = mutation.file == "trail.jsonl" and mutation.how == "deleted" and len(mutation.at) == 1
    kind = mutation.was["event"]["kind"] if is_gone and isinstance(mutation.was, dict) else ""
    return kind in {"finding.not_fixed", "exception.ended", "execution.joined"} or kind.startswith("batch.")


# What no check finds, and why.
NEVER: dict[str, Fits] = {
    "no proof: the page is made of the other files, and check.py is to be had from the program's source": _no_proof,
    "an empty field that is not there any more: both say nothing": _nothing_said,
}
# What the zip alone cannot show.
ALONE: dict[str, Fits] = {
    "shows against an anchor: the chain ends earlier, and its head is another one": _end_of_chain,
    "shows against the whole trail: an entry without a number, for nothing of the execution changed with it": _unnumbered,
}
STORIES: dict[str, Callable[[Path], Unpacked]] = {
    "put back": put_back,
    "batch": decided_together,
    "joined": joined,
    "item that was left": lambda folder: decided_together(folder, item=0),
    "item that was put back": lambda folder: decided_together(folder, item=1),
}


def mutations(of: Unpacked) -> Iterator[Mutation]:
    """Yield the changes to every file: of a batch those in two of its items, of equal lines what is deep in a few of them."""
    yield from filter(_is_one_of_few, mutate_folder(of.folder))
    folders = sorted(path for path in of.folder.iterdir() if path.is_dir())
    for folder in folders[:2]:
        yield from filter(_is_one_of_few, mutate_folder(folder, beneath=f"{folder.name}/"))


def _is_one_of_few(mutation: Mutation) -> bool:
    """Keep all changes but those inside a line of which two before it have been tried: one rule holds for all lines."""
    return not mutation.file.endswith(".jsonl") or len(mutation.at) < 2 or int(mutation.at[0]) < 2


@pytest.mark.parametrize(
    "story", ["put back", *(pytest.param(name, marks=pytest.mark.slow) for name in list(STORIES)[1:])]
)
def test_every_change_of_every_field_is_found_or_said_not_to_be(story: str, tmp_path: Path) -> None:
    of = STORIES[story](tmp_path)
    alone = check_with(of)
    beside = check_with(of, "--trail", str(of.trail)), check_with(of, "--anchor", of.anchor)
    assert [check()[0] for check in (alone, *beside)] == [0, 0, 0], alone()
    for mutation in mutations(of):
        if is_found(mutation, of, alone):
            continue
        reasons = {why for why, fits in (NEVER | ALONE).items() if fits(mutation, of)}
        assert reasons, f"not found: {mutation}"
        if not any(is_found(mutation, of, check) for check in beside):
            assert reasons & set(NEVER), f"not found against trail and anchor either: {mutation}"


def is_found(mutation: Mutation, of: Unpacked, check: Callable[[], tuple[int, str]]) -> bool:
    """Tell whether the check finds a change; it has to say so, too."""
    code, said = apply(mutation, of.folder, check)
    assert code == int("WRONG: " in said)
    return code == 1


@pytest.mark.parametrize("why", [*NEVER, *ALONE])
def test_nothing_is_listed_that_would_be_found(why: str, tmp_path: Path) -> None:
    of = put_back(tmp_path)
    listed = [mutation for mutation in mutations(of) if (NEVER | ALONE)[why](mutation, of)]
    alone = check_with(of)
    assert not all(is_found(mutation, of, alone) for mutation in listed)


def test_a_trail_of_an_earlier_version_is_judged_as_far_as_it_can_be(tmp_path: Path) -> None:
    lived = live()
    of = write(lived.back, forget(lived.trail), tmp_path)
    alone = check_with(of)
    code, said = alone()
    assert code == 0, said
    assert "of an earlier version: they do not say when people decided" in said
    assert "of the finding they say id, resource and account" in said
    for what in (
        "actions.json: changed 0/before/door",
        "actions.json: changed 1/request_ids/0",
        "decisions.json: changed 0/actor/slack_id",
        "decisions.json: changed 0/plan_digest",
        "decisions.json: changed 0/revision",
        "decisions.json: deleted 6 ",
        "finding.json: changed resource",
        "plan.json: changed actions/0/after/door",
        "signed-plan.json: removed",
        "execution.json: changed status",
        "execution.json: changed execution_id",
        "execution.json: changed requester/email",
    ):
        changed = [each for each in mutations(of) if str(each).startswith(what)]
        assert changed, what
        assert all(is_found(each, of, alone) for each in changed), what


def test_a_zip_of_an_earlier_version_holds_without_the_file_that_it_did_not_have(tmp_path: Path) -> None:
    lived = live()
    of = write(lived.back, forget(lived.trail), tmp_path)
    (of.folder / "execution.json").unlink()
    assert check_with(of)()[0] == 0, check_with(of)()


def test_what_began_under_an_earlier_version_is_numbered_from_there_on(tmp_path: Path) -> None:
    lived = live()
    of = write(lived.back, forget(lived.trail, until=3), tmp_path)
    alone = check_with(of)
    assert alone()[0] == 0, alone()
    changed = [each for each in mutations(of) if each.file in {"decisions.json", "actions.json"}]
    assert all(is_found(each, of, alone) for each in changed if not _nothing_said(each, of))


def edited(of: Unpacked, change: Callable[[list[dict[str, object]]], None]) -> tuple[int, str]:
    """Change the lines of trail.jsonl, check, and put them back."""
    path = of.folder / "trail.jsonl"
    whole = path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in whole.splitlines()]
    change(lines)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    checked = check_with(of)()
    path.write_text(whole, encoding="utf-8")
    return checked


def place_of_join(lines: list[dict[str, object]]) -> int:
    return next(n for n, line in enumerate(lines) if line["event"]["kind"] == "execution.joined")  # type: ignore[index]


def test_a_join_that_is_added_or_changed_is_found(tmp_path: Path) -> None:
    of = joined(tmp_path)

    def forge(line: dict[str, object]) -> dict[str, object]:
        """Return a join by somebody else, with bytes that say the same as what is shown to read."""
        event = json.loads(json.dumps(line["event"]).replace("U0OTTO", "U0MALLORY"))
        return line | {"event": event, "body_base64": base64.b64encode(json.dumps(event).encode()).decode()}

    def change(lines: list[dict[str, object]]) -> None:
        lines[place_of_join(lines)] = forge(lines[place_of_join(lines)])

    def add(lines: list[dict[str, object]]) -> None:
        lines.append(forge(lines[place_of_join(lines)]) | {"seq": of.head + 1})

    def add_as_another_entry(lines: list[dict[str, object]]) -> None:
        """Somebody else's entry is given out for a join."""
        mine = {line["seq"] for line in lines}
        other = next(seq for seq in range(1, of.head) if seq not in mine and seq > lines[0]["seq"])  # type: ignore[operator]
        lines.append(forge(lines[place_of_join(lines)]) | {"seq": other})
        lines.sort(key=lambda line: int(str(line["seq"])))

    for meddle, says in (
        (change, "trail.jsonl holds another content than the chain"),
        (add, f"entry {of.head + 1} is not in the chain"),
        (add_as_another_entry, "trail.jsonl holds another content than the chain"),
    ):
        code, said = edited(of, meddle)
        assert code == 1
        assert says in said, said


def test_a_join_that_is_left_out_shows_against_the_whole_trail(tmp_path: Path) -> None:
    of = joined(tmp_path)
    path = of.folder / "trail.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    gone = place_of_join([json.loads(line) for line in lines])
    path.write_text("".join(lines[:gone] + lines[gone + 1 :]), encoding="utf-8")
    assert check_with(of)()[0] == 0, "it stands in the list of what the zip alone does not show"
    code, said = check_with(of, "--trail", str(of.trail))()
    assert code == 1
    assert "execution.joined, is about this and is not here" in said


def test_who_joined_what_was_planned_anew_at_that_moment_says_nothing_about_the_plan(tmp_path: Path) -> None:
    store = MemoryExecutions()
    bench = Bench(store)
    before = bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-1")
    bench.remediation.approve("x-1", OMAR)
    bench.board.switches["door"] = "ajar"
    anew = bench.runner.run("x-1")
    assert anew.revision == before.revision + 1
    store.note(before, bench.remediation._joining(before, OTTO))  # who read it before, and comes after
    of = write(anew, store.trail, tmp_path)
    assert check_with(of)()[0] == 0, check_with(of)()


def test_who_joins_a_fix_that_waits_or_runs_leaves_no_gap(tmp_path: Path) -> None:
    store = MemoryExecutions()
    bench = Bench(store)

    def join() -> None:
        assert bench.remediation.request(door_playbook(), door_finding(), OTTO).execution_id == "x-1"

    bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-1")
    join()
    bench.remediation.approve("x-1", OMAR)
    join()
    bench.board.faults["before write"] = join
    ran = bench.runner.run("x-1")
    of = write(ran, store.trail, tmp_path)
    lines = (of.folder / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [json.loads(line)["event"]["kind"] for line in lines]
    assert kinds.count("execution.joined") == 3
    assert check_with(of)()[0] == 0, check_with(of)()


def test_where_nothing_was_planned_a_plan_is_none(tmp_path: Path) -> None:
    store = MemoryExecutions()
    bench = Bench(store)

    def refuse() -> None:
        raise PermanentActionError("it is gone", cause=Cause.NOT_FOUND)

    bench.board.faults["read"] = refuse
    failed = bench.remediation.request(door_playbook(), door_finding(), ANA)
    assert failed.plan is None
    of = write(failed, store.trail, tmp_path)
    assert check_with(of)()[0] == 0, check_with(of)()
    for name in ("plan.json", "signed-plan.json"):
        (of.folder / name).write_text("{}", encoding="utf-8")
        code, said = check_with(of)()
        assert code == 1
        assert f"{name} is here, and nothing was planned" in said
        (of.folder / name).unlink()
