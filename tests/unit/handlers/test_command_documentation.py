"""Each word of each command stands in the docs, the manifest and the help, and there is a scenario that plays it in a browser."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from handlers.blocks.lists import build_help
from handlers.vocabulary import COMMANDS, CommandHelp, Word
from tests.browser.scenarios import SCENARIOS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
WORDS = [(command, word) for command in COMMANDS for word in command.words]


@pytest.mark.parametrize(("command", "word"), WORDS, ids=lambda part: part.name)
def test_it_is_documented(command: CommandHelp, word: Word) -> None:
    usage = command.usage(word).replace("|", "\\|")
    assert f"| `{usage}` | {word.description} | `{word.example}` |" in PAGE


def test_no_word_is_documented_that_there_is_not() -> None:
    documented = [line for line in PAGE.splitlines() if line.startswith("| `/")]
    assert len(documented) == len(WORDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_manifest_help_docs_and_scenarios_name_the_same_words(command: CommandHelp) -> None:
    words = [word.name for word in command.words]
    hints = {each["command"]: each["usage_hint"] for each in MANIFEST["features"]["slash_commands"]}
    assert [part.split()[0] for part in hints[command.name].split(" | ")] == words
    assert re.findall(rf"^\| `{command.name} ([a-z]+)", PAGE, re.MULTILINE) == words
    said = "".join(str(block.to_dict()) for block in build_help(command).blocks)
    assert re.findall(rf"(?:```|\\n){command.name} ([a-z]+)", said) == words
    assert sorted(word for name, word in SCENARIOS if name == command.name) == sorted(words)


def test_the_manifest_the_docs_and_the_scenarios_name_the_same_commands() -> None:
    names = [command.name for command in COMMANDS]
    assert [each["command"] for each in MANIFEST["features"]["slash_commands"]] == names
    assert re.findall(r"^## (/\w+)", PAGE, re.MULTILINE) == names
    assert {name for name, _ in SCENARIOS} == set(names)


@pytest.mark.parametrize(("command", "word"), WORDS, ids=lambda part: part.name)
def test_the_help_explains_it(command: CommandHelp, word: Word) -> None:
    said = "".join(str(block.to_dict()) for block in build_help(command).blocks)
    for words in (command.usage(word), word.description, word.example):
        assert words.replace("&", "&amp;") in said
