"""`docs/security.md` names a test for each promise, `docs/guards.md` one for each guard, and each test they name is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
GUARDS = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
GUARD = re.compile(r"\| ([^|]+) \| `([\w/.]+)` \| `(tests/[\w/]+\.py)::(\w+)` \|")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE)))


def rows(page: str) -> list[tuple[str, str]]:
    """Return each promise with what is said to show it: the rows of tables whose second column is called that."""
    found, is_inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if cells == ["promise", "shown by"]:
            is_inside = True
        elif is_inside and len(cells) == 2 and not set(cells[0]) <= {"-"}:
            found.append((cells[0], cells[1]))
        elif not cells:
            is_inside = False
    return found


def test_each_promise_names_a_test() -> None:
    promises = rows(PAGE)
    assert len(promises) > 25, "the tables were found"
    assert [promise for promise, shown in promises if not re.search(r"`tests/[\w/]+\.py`", shown)] == []


def test_no_row_stands_outside_a_table() -> None:
    """A blank line ends a table: what follows is drawn as text full of bars."""
    lines = ["", *PAGE.splitlines()]
    begins = [
        at for at in range(1, len(lines)) if lines[at].startswith("|") and not lines[at - 1].startswith("|")
    ]
    assert begins
    assert [lines[at] for at in begins if not lines[at + 1].startswith("|---")] == []


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_is_there_and_tests_something(name: str) -> None:
    path = ROOT / name
    assert path.is_file()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    machines = [
        node for node in tree.body if isinstance(node, ast.Assign) and "TestCase" in ast.dump(node.value)
    ]
    assert tests or machines


@pytest.mark.parametrize(
    "word", ["## What is trusted", "## Who is against us", "## What cannot be promised", "A frozen owner"]
)
def test_the_page_says_what_it_has_to(word: str) -> None:
    assert word in PAGE


def test_each_guard_names_code_and_a_test_that_are_there() -> None:
    lines = [
        line for line in GUARDS.splitlines() if line.startswith("| ") and not line.startswith("| guard ")
    ]
    found = [match.groups() for match in map(GUARD.fullmatch, lines) if match]
    assert len(found) == len(lines) > 200
    names = [name for name, *_ in found]
    assert len(set(names)) == len(names)
    assert [path for _, path, *_ in found if not (ROOT / path).is_file()] == []
    known = {path: _tests_in(path) for path in {path for *_, path, _ in found}}
    assert [(path, test) for *_, path, test in found if test not in known[path]] == []


def test_the_page_leads_to_the_guards() -> None:
    assert "(guards.md)" in PAGE


def _tests_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
