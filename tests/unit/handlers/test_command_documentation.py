"""Each word of each command stands in `docs/commands.md`, with its usage, its description and its example."""

from pathlib import Path

import pytest

from handlers.vocabulary import COMMANDS, CommandHelp, Word

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
WORDS = [(command, word) for command in COMMANDS for word in command.words]


@pytest.mark.parametrize(("command", "word"), WORDS, ids=lambda part: part.name)
def test_it_is_documented(command: CommandHelp, word: Word) -> None:
    usage = command.usage(word).replace("|", "\\|")
    assert f"| `{usage}` | {word.description} | `{word.example}` |" in PAGE


def test_no_word_is_documented_that_there_is_not() -> None:
    documented = [line for line in PAGE.splitlines() if line.startswith("| `/")]
    assert len(documented) == len(WORDS)
