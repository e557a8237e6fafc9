"""`docs/security.md` names a test for each promise, and each test it names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
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
