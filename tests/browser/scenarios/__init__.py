"""What each word of each command does, as a person sees it: one scenario a word, found by the vocabulary.

A scenario is a function of the stage. It has findings and schedules of its own and leaves nobody waiting, so that all of them can be
played on one stage in any order.
"""

from tests.browser.scenarios import playbook, report, schedule
from tests.browser.scenarios.parts import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Scenario", "playbook", "report", "schedule"]
