"""The list of scenarios, and what several of them do."""

import re
from collections.abc import Callable
from typing import TypeAlias

from playwright.sync_api import Locator, expect

from audit.findings import Finding
from handlers.vocabulary import CommandHelp
from tests.browser.stage import Stage

Scenario: TypeAlias = Callable[[Stage], None]
SCENARIOS: dict[tuple[str, str], Scenario] = {}


def plays(command: str, word: str) -> Callable[[Scenario], Scenario]:
    """Put a scenario into the list, under the word that it is about."""

    def put(scenario: Scenario) -> Scenario:
        assert (command, word) not in SCENARIOS, f"there is a scenario for {command} {word} already"
        SCENARIOS[command, word] = scenario
        return scenario

    return put


def id_in(answer: Locator, kind: str) -> str:
    """Return the first id of a kind (`x`, `s`, `r`, `e`) that an answer names."""
    found = re.search(rf"\b{kind}-[0-9a-f]{{4,}}", answer.inner_text())
    assert found, f"no {kind}-… in: {answer.inner_text()}"
    return found[0]


def ask_for_fix(stage: Stage, finding: Finding, *, person: str = "Ana") -> Locator:
    """Have somebody ask for the fix of a public bucket; return its card."""
    stage.visitor.be(person)
    # A digest names resources and says what waits, too; it may have been there before.
    card = stage.visitor.post_of(
        lambda: stage.visitor.type(f"/playbook run AWS-PUBLIC-S3 {finding.handle}"),
        finding.resource,
        "Waiting for approval",
    )
    # From here on it is known by its id, whatever it comes to say.
    return stage.visitor.stream.locator("article:not(.private)").filter(has_text=id_in(card, "x"))


def expect_help(stage: Stage, command: CommandHelp) -> None:
    """See that a command's page names each of its words, with what they do."""
    answer = stage.visitor.ask(f"{command.name} help")
    for word in command.words:
        expect(answer).to_contain_text(command.usage(word))
        expect(answer).to_contain_text(word.description)
