"""The batch card on the demo's page: asked for, looked through, chosen from, approved, put back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.sandbox.cloud import demo_cloud
from bot.sandbox.demo import page_setup, running_bot
from bot.sandbox.standin import SlackStandIn
from tests.shell import run_in

pytestmark = pytest.mark.browser
ASK = "/playbook run AWS-PUBLIC-S3 check:s3_bucket_public_access,s3_bucket_level_public_access_block"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[SlackStandIn]:
    with (
        demo_cloud() as cloud,
        SlackStandIn.start(page=page_setup(cloud)) as slack,
        running_bot(slack, cloud, tmp_path),
    ):
        # Searching the findings works the report in, which the bot may still be at.
        done = run_in({"DATABASE_URL": f"sqlite:///{tmp_path / 'countersign.db'}"}, "report", "findings")
        assert done.returncode == 0, done.stderr
        yield slack
    assert slack.violations == ()


def be(page: Page, name: str) -> None:
    page.get_by_role("radio", name=re.compile(f"^{name}")).click()
    composer = page.get_by_role("combobox").first
    expect(composer).to_have_attribute("placeholder", re.compile(name))


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=re.compile(f"^{button}")).last.click()


def test_a_batch_from_the_search_to_the_rollback(slack: SlackStandIn, page: Page) -> None:
    page.goto(slack.page_url)
    be(page, "Ana")
    composer = page.get_by_role("combobox").first
    composer.fill(ASK)
    composer.press("Escape")
    composer.press("Enter")
    expect(page.get_by_text("3 at once").last).to_be_visible()
    expect(page.get_by_text("Asked for, and left out").last).to_be_visible()
    press(page, "Approve all")
    expect(page.get_by_text("somebody else has to approve it").last).to_be_visible()

    be(page, "Omar")
    press(page, "All changes")
    window = page.get_by_role("dialog")
    for bucket in ("northwind-customer-exports", "northwind-press-kit", "northwind-backups"):
        expect(window.get_by_text(bucket).first).to_be_visible()
    window.get_by_role("button", name="Cancel").click()

    press(page, "Choose")
    form = page.get_by_role("dialog")
    form.get_by_role("checkbox", name=re.compile("northwind-backups")).uncheck()
    form.get_by_role("textbox").fill("Needed until Friday")
    form.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("2 at once").last).to_be_visible()
    expect(page.get_by_text("Needed until Friday").first).to_be_visible()

    press(page, "Approve all")
    expect(page.get_by_text("2 fixed").last).to_be_visible()
    press(page, "Roll back all")
    page.get_by_role("dialog").get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_text("2 rolled back").last).to_be_visible()
    expect(page.locator("#violations")).to_be_hidden()


def test_several_findings_are_picked_in_the_form(slack: SlackStandIn, page: Page) -> None:
    page.goto(slack.page_url)
    be(page, "Ana")
    composer = page.get_by_role("combobox").first
    composer.fill("/playbook")
    composer.press("Escape")
    composer.press("Enter")
    form = page.get_by_role("dialog")
    findings = form.get_by_placeholder("Search findings")
    offered = form.locator(".suggestions:visible [role=option]")
    for wanted in ("s3_bucket_public_access", "press-kit"):
        findings.click()
        findings.fill(wanted)
        expect(offered).to_have_count(1)
        offered.click()
    expect(form.get_by_role("button", name=re.compile("^Take away"))).to_have_count(2)
    playbook = form.get_by_placeholder("Search playbooks")
    playbook.click()
    playbook.fill("PUBLIC-S3")
    form.get_by_role("option", name=re.compile("AWS-PUBLIC-S3")).click()
    form.get_by_role("button", name="Go").click()
    expect(page.get_by_text("2 at once").last).to_be_visible()
    expect(page.locator("#violations")).to_be_hidden()
