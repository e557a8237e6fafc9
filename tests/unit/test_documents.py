"""What documents and messages promise exists: links, pictures, commands, words after a slash, targets of make."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from bot.cli import app
from handlers.vocabulary import COMMANDS
from tests.unit.test_house import SOURCES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PICTURES = sorted((ROOT / "docs" / "images").iterdir())
LARGEST_PICTURE = 250_000
LINK = re.compile(r"\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"https?:|mailto:|#")
SHELL_COMMAND = re.compile(r"\bcountersign ([a-z][^`\n&\"”]*)")
SLASH_COMMAND = re.compile(r"`(/[a-z]+)(?: ([a-z|]+))?")
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAKE_TARGET = re.compile(r"(?:^|`)make ([a-z][a-z -]*[a-z])", re.MULTILINE)
# What else begins with a slash in our documents: what the bot answers over HTTP.
HTTP_PATHS = {"/healthz", "/readyz", "/metrics", "/slack", "/reports"}
SLASH_WORDS = {command.name: {word.name for word in command.words} for command in COMMANDS}


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts_of(path: Path) -> Iterator[str]:
    """Yield a document's text, or each text in a program."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield content
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def problem_of(command: str) -> str | None:
    """Say what is wrong with `report export html -o PATH`, such as a word or an option that does not exist."""
    at = typer.main.get_command(app)
    words = command.split()
    while isinstance(at, TyperGroup) and words and re.match("[a-z]", words[0]):
        names = re.findall(r"[a-z-]+", words.pop(0))
        if missing := [name for name in names if name not in at.commands]:
            return f"countersign {command}: no command “{missing[0]}”"
        at = at.commands[names[0]]
    known = {option for parameter in at.params for option in parameter.opts}
    unknown = [word for word in words if re.fullmatch(r"-{1,2}[a-z-]+", word) and word not in known]
    return f"countersign {command}: no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    inside = (link.partition("#")[0] for link in links if not OUTSIDE.match(link))
    assert [link for link in inside if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PICTURES, ids=by_name)
def test_a_picture_is_shown_somewhere_and_is_small(path: Path) -> None:
    assert path.stat().st_size <= LARGEST_PICTURE
    assert any(path.name in document.read_text(encoding="utf-8") for document in DOCUMENTS)


@pytest.mark.parametrize("path", [*DOCUMENTS, *SOURCES], ids=by_name)
def test_commands_for_a_shell_exist(path: Path) -> None:
    commands = (command for text in texts_of(path) for command in SHELL_COMMAND.findall(text))
    assert [problem for command in commands if (problem := problem_of(command))] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_slash_commands_exist(path: Path) -> None:
    used = {name for name, _ in SLASH_COMMAND.findall(path.read_text(encoding="utf-8"))}
    assert used <= SLASH_WORDS.keys() | HTTP_PATHS


@pytest.mark.parametrize("path", [*DOCUMENTS, *SOURCES], ids=by_name)
def test_the_words_of_slash_commands_exist(path: Path) -> None:
    used = (found for text in texts_of(path) for found in SLASH_COMMAND.findall(text))
    said = {(name, word) for name, words in used if name in SLASH_WORDS for word in words.split("|") if word}
    assert [(name, word) for name, word in said if word not in SLASH_WORDS[name]] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_targets_of_make_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    used = {word for words in MAKE_TARGET.findall(path.read_text(encoding="utf-8")) for word in words.split()}
    assert used <= targets


def test_the_readmes_python_runs_as_printed(moto_endpoint: str, s3: Any) -> None:
    program = PYTHON.findall((ROOT / "README.md").read_text(encoding="utf-8"))[0]
    s3.create_bucket(Bucket="northwind-exports")
    ending = "\nprint(executor.get_execution(execution.execution_id).status.value)"
    done = subprocess.run(
        [sys.executable, "-c", program + ending],
        env={**os.environ, "AWS_ENDPOINT_URL": moto_endpoint},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "ROLLED_BACK", done.stderr


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("playbook permissions", None),
        ("playbook permissions AWS-PUBLIC-S3 --plan-only", None),
        ("trail verify|export", None),
        ("playbook …", None),
        ("playbook approve", "no command “approve”"),
        ("trail verify|burn", "no command “burn”"),
        ("fix", "no command “fix”"),
        ("playbook list --yaml", "no option --yaml"),
    ],
)
def test_a_command_that_is_not_there_is_seen(command: str, says: str | None) -> None:
    assert (problem_of(command) or "").endswith(says or "")
    assert (problem_of(command) is None) == (says is None)
