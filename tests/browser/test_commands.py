"""Every word of every command, typed into the page by the right person, with what comes of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from handlers.vocabulary import COMMANDS
from tests.browser.scenarios import SCENARIOS
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
WORDS = [(command.name, word.name) for command in COMMANDS for word in command.words]


@pytest.fixture(scope="module")
def stage(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage.set_up(chromium, tmp_path_factory.mktemp("commands")) as stage:
        yield stage
        assert "Traceback" not in stage.log


@pytest.mark.parametrize(("command", "word"), WORDS)
def test_a_word_does_what_it_says(stage: Stage, command: str, word: str) -> None:
    stage.tidy()
    SCENARIOS[command, word](stage)
