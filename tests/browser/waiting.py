"""What takes its time, begun when the stage is put up and looked at later: meanwhile the other scenarios are played.

A run whose process was killed is taken over once its heart has been still for a minute and a half; a slot comes due with the minute.
"""

from dataclasses import dataclass
from typing import Self

from playwright.sync_api import Locator, expect

from audit.findings import Finding
from tests.browser.scenarios.parts import ask_for_fix, id_in
from tests.browser.stage import Stage

LONG_MS = 400_000
HEARD_BY = "minutes@northwind.example"


@dataclass(frozen=True)
class Waiting:
    """`card` is of the fix of `finding`, whose bot was killed in the middle; `schedule` is due each minute, in #general."""

    finding: Finding
    card: Locator
    schedule: str

    @classmethod
    def begin(cls, stage: Stage) -> Self:
        """Kill the bot between Approve and the result, start it again, and have it send something each minute."""
        finding = stage.next_finding()
        card = ask_for_fix(stage, finding)
        stage.gate.shut()
        stage.visitor.be("Omar")
        stage.visitor.press(card, "Approve")
        assert stage.gate.waits.wait(LONG_MS / 1000), "nothing was written"
        stage.kill()
        stage.gate.open()
        stage.start()
        assert stage.flags(finding) == set()
        answer = stage.visitor.ask(f'/schedule cron "* * * * *" #general {HEARD_BY}')
        expect(answer).to_contain_text("Scheduled:")
        return cls(finding, card, id_in(answer, "s"))
