"""`countersign demo` in a real browser: found → reported → approved → fixed → proven → put back."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.patience import PATIENCE_S

pytestmark = pytest.mark.browser
BUCKET = "northwind-customer-exports"


@pytest.fixture
def address() -> Iterator[str]:
    """Start the demo as a user does, in an environment with credentials that it must not see."""
    canary = {"AWS_ACCESS_KEY_ID": "canary", "AWS_PROFILE": "canary", "SLACK_BOT_TOKEN": "xoxb-canary"}
    child = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo"],
        env={**os.environ, **canary},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with child:
        try:
            yield read_address(child)
            child.send_signal(signal.SIGINT)
            rest, _ = child.communicate(timeout=PATIENCE_S)
        finally:
            child.kill()  # one that goes on would be waited for without end
    assert child.returncode == 0, rest
    assert "Traceback" not in rest


@pytest.fixture
def tall(address: str, page: Page) -> None:
    """Let a whole card fit into the window, for the pictures."""
    page.set_viewport_size({"width": 1440, "height": 1000})


def read_address(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    said = []
    for line in child.stdout:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
            return found[0]
    pytest.fail(f"the demo printed no address:\n{''.join(said)}")


class Visitor:
    """What somebody does on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.composer = page.get_by_role("combobox").first

    def be(self, name: str) -> None:
        self.page.get_by_role("radio", name=re.compile(f"^{name}")).click()
        expect(self.composer).to_have_attribute("placeholder", re.compile(name))

    def type(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Escape")
        self.composer.press("Enter")

    def take_up(self, step: str, command: str) -> None:
        """Press a step of the tour, which fills in its command."""
        self.page.locator("#tour").get_by_role("button", name=step).click()
        expect(self.composer).to_have_value(re.compile(f"^{command}"))

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^{button}")).last.click()

    def answers(self, number: int) -> Locator:
        """Wait for this many private answers; return the newest."""
        private = self.page.locator("#stream article.private")
        expect(private).to_have_count(number)
        return private.last

    def say(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_text(text)

    def has_taken(self, *steps: str) -> None:
        """Wait until these steps of the tour bear a tick, and no other."""
        expect(self.page.locator("#tour button.done strong")).to_have_text(list(steps))

    def cloud(self, value: str, times: int) -> None:
        """Wait until this many switches of the public bucket have the value."""
        panel = self.page.locator("section, div").filter(has=self.page.get_by_text(BUCKET, exact=True)).last
        expect(panel.get_by_text(value, exact=False)).to_have_count(times)


@pytest.mark.usefixtures("tall")
def test_the_tour(address: str, page: Page, take_picture: Callable[[Page, str], None]) -> None:
    page.goto(address)
    visitor = Visitor(page)
    visitor.be("Ana")
    visitor.cloud("not set", 4)

    visitor.type("/report list")
    expect(visitor.say("demo_report").last).to_be_visible()
    expect(visitor.say("Only visible to you").last).to_be_visible()

    visitor.type("/report export html")
    with page.expect_popup() as opened:
        page.get_by_role("link", name=re.compile(r"^Open .*\.html")).last.click()
    report = opened.value
    expect(report.get_by_role("heading").first).to_be_visible()
    expect(report.get_by_text(BUCKET).first).to_be_attached()
    report.close()

    visitor.type("/report email ciso@northwind.example")
    expect(visitor.say("Mail accepted for 1 of 1").last).to_be_visible()
    page.get_by_role("tab", name=re.compile("Mail")).click()
    page.get_by_role("button", name=re.compile("Security report")).click()
    take_picture(page, "demo-view-report")
    with page.expect_popup() as opened:
        page.frame_locator("iframe").get_by_role("link", name="View Report").click()
    report = opened.value
    expect(report.get_by_text(BUCKET).first).to_be_attached()
    report.close()
    page.get_by_role("tab", name=re.compile("Cloud")).click()

    visitor.take_up("Ask for a fix", "/playbook run")
    visitor.composer.press("Enter")
    expect(visitor.say("By the rule for: critical").last).to_be_visible()
    expect(visitor.say("not set → on").last).to_be_visible()
    take_picture(page, "demo")

    visitor.press("Approve")
    expect(visitor.say("somebody else has to approve it").last).to_be_visible()
    visitor.cloud("not set", 4)
    visitor.be("Otto")
    visitor.press("Approve")
    expect(visitor.say("not among the approvers").last).to_be_visible()

    visitor.be("Omar")
    visitor.press("Approve")
    expect(visitor.say("Done, and verified").last).to_be_visible()
    visitor.cloud("✓ on", 4)
    page.get_by_role("button", name=re.compile("1 reply")).last.click()
    expect(visitor.say("block_public_access").last).to_be_visible()
    take_picture(page, "demo-done")

    page.keyboard.press("Escape")
    visitor.press("Roll back")
    expect(page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))).to_contain_text("back to not set")
    take_picture(page, "demo-rollback")
    page.get_by_role("dialog").or_(page.get_by_role("alertdialog")).get_by_role(
        "button", name="Roll back"
    ).click()
    expect(visitor.say("Everything is as it was before, verified").last).to_be_visible()
    visitor.cloud("not set", 4)


def test_a_step_is_ticked_once_it_is_taken(address: str, page: Page) -> None:
    page.goto(address)
    visitor = Visitor(page)
    visitor.be("Ana")
    visitor.take_up("Ask for a fix", "/playbook run")
    visitor.has_taken()
    visitor.composer.press("Enter")
    visitor.has_taken("Ask for a fix")
    expect(visitor.say("Waiting for approval").last).to_be_visible()
    visitor.be("Otto")
    visitor.press("Approve")
    expect(visitor.say("not among the approvers").last).to_be_visible()
    visitor.has_taken("Ask for a fix")
    visitor.be("Omar")
    visitor.press("Approve")
    visitor.has_taken("Ask for a fix", "Approve as somebody else")
    page.reload()
    visitor.has_taken("Ask for a fix", "Approve as somebody else")


def test_a_change_behind_the_bots_back(address: str, page: Page) -> None:
    page.goto(address)
    visitor = Visitor(page)
    visitor.be("Ana")
    visitor.take_up("Ask for a fix", "/playbook run")
    visitor.composer.press("Enter")
    expect(visitor.say("Waiting for approval").last).to_be_visible()
    page.get_by_role("button", name="Change one setting by hand").click()
    visitor.cloud("not set", 0)
    visitor.be("Omar")
    visitor.press("Approve")
    expect(visitor.say("Changed since").last).to_be_visible()
    visitor.cloud("✓ on", 1)

    visitor.press("Reject")
    form = page.get_by_role("dialog")
    form.get_by_role("textbox").first.fill("x")
    form.get_by_role("button", name=re.compile("Reject")).click()
    expect(form.get_by_text("at least 3 characters")).to_be_visible()
    form.get_by_role("textbox").first.fill("Not this week")
    form.get_by_role("button", name=re.compile("Reject")).click()
    expect(visitor.say("Not this week").last).to_be_visible()
    expect(page.locator("#violations")).to_be_hidden()


def test_an_idle_page_asks_for_nothing_and_a_slow_click_lands(address: str, page: Page) -> None:
    page.goto(address)
    visitor = Visitor(page)
    visitor.be("Ana")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(60):  # the bot may still be answering; a page that polls never comes to rest
        asked.clear()
        page.wait_for_timeout(2000)
        if not asked:
            break
    assert not asked
    page.get_by_role("radio", name=re.compile("^Omar")).click(delay=150)
    expect(visitor.composer).to_have_attribute("placeholder", re.compile("Omar"))
    page.get_by_role("link", name="general").click(delay=150)
    expect(visitor.composer).to_have_attribute("placeholder", re.compile("general"))


def test_what_is_typed_wrong_is_answered_as_slack_would(address: str, page: Page) -> None:
    page.goto(address)
    visitor = Visitor(page)
    visitor.be("Ana")
    visitor.type("/playbok run")
    expect(visitor.answers(1).get_by_text("/playbok is not a valid command")).to_be_in_viewport()
    for _ in range(4):
        visitor.type("/report show")
    expect(visitor.answers(5).get_by_text("/report export html").last).to_be_in_viewport()
    page.reload()
    visitor.be("Ana")
    visitor.type("/playbook help")
    expect(visitor.answers(6).get_by_text("/playbook run AWS-PUBLIC-S3").last).to_be_in_viewport()


def test_a_file_somebody_dropped_is_taken_in(address: str, page: Page) -> None:
    page.goto(address)
    visitor = Visitor(page)
    visitor.be("Omar")
    page.get_by_text("More actions").last.click()
    page.get_by_role("button", name="Import as audit report", exact=True).click()
    expect(visitor.say(re.compile("2 findings from bucket-scan.json")).last).to_be_visible()
    visitor.has_taken("Take a file in")
    said = page.locator("#stream article.private").count()
    visitor.type("/report list")
    expect(visitor.answers(said + 1)).to_contain_text("bucket-scan.json")
    visitor.be("Ana")
    expect(visitor.say(re.compile("2 findings from"))).to_have_count(0)
    expect(page.locator("#violations")).to_be_hidden()
