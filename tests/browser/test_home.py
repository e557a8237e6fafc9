"""The App Home on the page: each person's own, its buttons act, and it is fresh after every change."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.scenarios.parts import ask_for_fix, id_in
from tests.browser.stage import ALL_ON, Stage

pytestmark = pytest.mark.browser
PARTS = ("How things stand", "Waiting for you", "What you asked for", "What ran lately")

MORE_THAN_AN_ICON = 500


def part(home: Locator, title: str) -> str:
    """Return what stands under a heading."""
    text = home.inner_text()
    ends = [text.find(each) for each in (*PARTS, "Drawn ") if text.find(each) > text.find(title)]
    return text[text.find(title) : min(ends)]


def line(home: Locator, execution: str) -> Locator:
    """Return the paragraph that names an execution."""
    return home.locator(".section", has_text=execution)


def entry(home: Locator, execution: str) -> Locator:
    """Return the buttons below that paragraph."""
    return line(home, execution).locator("+ .actions")


def sees_the_trend(home: Locator) -> None:
    """Wait for the picture, which comes a moment after the home, and hold it to the reports that the bars beside it are of."""
    picture = home.get_by_role("img", name=re.compile("^Failing findings over"))
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("node => node.naturalWidth") > MORE_THAN_AN_ICON
    beside = re.search(r"the last (\d+) reports", home.inner_text())
    assert beside
    expect(picture).to_have_accessible_name(re.compile(f"over {beside[1]} reports"))


def test_it_is_everybodys_own_and_fresh_after_every_change(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    visitor.be("Omar")
    home = visitor.tab("Home")
    expect(home).to_contain_text(re.compile(r"Security score.*\d of 100|not known", re.DOTALL))
    expect(home).to_contain_text(re.compile(r"Critical \d+, \d+ overdue"))
    sees_the_trend(home)

    card = ask_for_fix(stage, finding)
    execution = id_in(card, "x")
    home = visitor.tab("Home")
    expect(home).to_contain_text(execution)
    assert execution in part(home, "What you asked for")
    assert execution not in part(home, "Waiting for you")
    visitor.be("Otto")
    expect(home).to_contain_text("What ran lately")
    sees_the_trend(home)
    assert execution not in home.inner_text()

    visitor.be("Omar")
    expect(home).to_contain_text(execution)
    assert execution in part(home, "Waiting for you")
    visitor.press(entry(home, execution), "Review and approve")
    expect(visitor.form).to_contain_text(re.compile(r"BlockPublicAcls\s+not set → on"))
    expect(visitor.form).to_contain_text(re.compile("digest [0-9a-f]{8,}"))
    assert stage.flags(finding) == set()
    visitor.submit("Approve")
    visitor.has_gone(visitor.form)
    expect(card).to_contain_text("Done, and verified")
    assert stage.flags(finding) == ALL_ON
    expect(entry(home, execution).get_by_role("button", name=re.compile("^Roll back"))).to_be_visible()
    assert execution in part(home, "What ran lately")
    assert execution not in part(home, "Waiting for you")

    visitor.press(entry(home, execution), "Details")
    expect(visitor.form).to_contain_text("Done, and verified")
    visitor.form.get_by_role("button", name="Close", exact=True).last.click()
    visitor.has_gone(visitor.form)
    visitor.press(entry(home, execution), "Roll back")
    expect(visitor.form).to_contain_text("back to not set")
    visitor.submit("Roll back")
    expect(card).to_contain_text("Everything is as it was before, verified")
    expect(line(home, execution)).to_contain_text("Everything is as it was before, verified")
    expect(entry(home, execution)).to_have_count(0)
    assert stage.flags(finding) == set()


def test_it_rejects_with_a_reason(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    execution = id_in(card, "x")
    visitor.be("Omar")
    home = visitor.tab("Home")
    visitor.press(entry(home, execution), "Reject")
    visitor.submit("Reject")
    expect(visitor.form.locator("[aria-invalid=true]")).to_be_visible()
    visitor.form.get_by_label("Why should this not run?").fill("Vendors still write to it")
    visitor.submit("Reject")
    expect(card).to_contain_text("Vendors still write to it")
    expect(entry(home, execution).get_by_role("button", name=re.compile("^Reject"))).to_have_count(0)
