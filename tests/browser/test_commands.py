"""Every word of every command, typed into the page by the right person, with what comes of it."""

import pytest

from handlers.vocabulary import COMMANDS
from tests.browser.scenarios import SCENARIOS
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
WORDS = [(command.name, word.name) for command in COMMANDS for word in command.words]


@pytest.mark.parametrize(("command", "word"), WORDS)
def test_a_word_does_what_it_says(stage: Stage, command: str, word: str) -> None:
    SCENARIOS[command, word](stage)
