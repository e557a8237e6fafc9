"""The bot is killed at the worst moments and started again on the same database; the page stays open and its buttons go on working."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.scenarios.parts import ask_for_fix
from tests.browser.stage import ALL_ON, Stage
from tests.browser.waiting import HEARD_BY, LONG_MS, Waiting

pytestmark = pytest.mark.browser


def test_buttons_posted_before_a_kill_work_after_it(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    visitor.be("Omar")
    stage.kill()
    assert "could not be reached" in visitor.warning_of(lambda: visitor.press(card, "Approve"))
    expect(card).to_contain_text("Waiting for approval")
    assert stage.flags(finding) == set()
    stage.start()
    visitor.press(card, "Approve")
    expect(card).to_contain_text("Done, and verified")
    assert stage.flags(finding) == ALL_ON

    stage.kill()
    stage.start()
    visitor.press(card, "Roll back")
    visitor.confirm("Roll back")
    expect(card).to_contain_text("Everything is as it was before, verified")
    assert stage.flags(finding) == set()


def test_what_was_approved_before_a_kill_is_done_once_after_it(stage: Stage, waiting: Waiting) -> None:
    expect(waiting.card).to_contain_text("Done, and verified", timeout=LONG_MS)
    assert stage.flags(waiting.finding) == ALL_ON
    expect(waiting.card).to_have_count(1)
    stage.visitor.be("Omar")
    stage.visitor.press(waiting.card, "Roll back")
    stage.visitor.confirm("Roll back")
    expect(waiting.card).to_contain_text("Everything is as it was before, verified")
    assert stage.flags(waiting.finding) == set()


def test_a_slot_that_comes_due_is_sent_to_channel_and_inbox(stage: Stage, waiting: Waiting) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    visitor.go_to("general")
    digests = visitor.stream.locator("article:not(.private)", has_text=waiting.schedule)
    expect(digests.first).to_be_visible(timeout=LONG_MS)
    expect(digests.first).to_contain_text("Security digest")
    expect(digests.first.get_by_role("button", name="1 reply")).to_be_visible()
    mails = visitor.tab("Mail")
    expect(mails.get_by_text(f"To {HEARD_BY}").first).to_be_visible()
    minutes = minutes_of(stage, waiting)
    assert len(minutes) == len(set(minutes)), "a minute was sent twice"
    visitor.tab("Cloud")


def minutes_of(stage: Stage, waiting: Waiting) -> list[str]:
    """Return the minute that each digest of the schedule was sent for, as its metadata names it."""
    posted = [m for m in stage.slack.messages("#general") if waiting.schedule in m.words]
    return [re.sub(r"\W+", "-", str((message.metadata or {}).get("event_payload"))) for message in posted]
