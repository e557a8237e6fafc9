"""The batch card on the demo's page: asked for, looked through, chosen from, approved, put back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.sandbox.cloud import demo_cloud
from bot.sandbox.demo import running_bot
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.tour import page_setup
from tests.browser.visitor import Visitor
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


def test_a_batch_from_the_search_to_the_rollback(slack: SlackStandIn, page: Page) -> None:
    page.goto(slack.page_url)
    visitor = Visitor(page)
    visitor.be("Ana")
    card = visitor.post_of(lambda: visitor.type(ASK), "3 at once")
    expect(card).to_contain_text("Asked for, and left out")
    refusal = visitor.answer_to(lambda: visitor.press(card, "Approve all"))
    expect(refusal).to_contain_text("somebody else has to approve it")

    visitor.be("Omar")
    visitor.press(card, "All changes")
    for bucket in ("northwind-customer-exports", "northwind-press-kit", "northwind-backups"):
        expect(visitor.form.get_by_text(bucket).first).to_be_visible()
    visitor.submit("Cancel")
    visitor.has_gone(visitor.form)

    visitor.press(card, "Choose")
    visitor.form.get_by_role("checkbox", name=re.compile("northwind-backups")).uncheck()
    visitor.form.get_by_role("textbox", name="Why are they taken out?").fill("Needed until Friday")
    visitor.submit("Take out")
    visitor.has_gone(visitor.form)
    expect(card).to_contain_text("2 at once")
    expect(card).to_contain_text("Needed until Friday")

    visitor.press(card, "Approve all")
    expect(card).to_contain_text("2 fixed")
    visitor.press(card, "Roll back all")
    visitor.confirm("Roll back")
    expect(card).to_contain_text("2 rolled back")
    expect(page.locator("#violations")).to_be_hidden()


def test_several_findings_are_picked_in_the_form(slack: SlackStandIn, page: Page) -> None:
    page.goto(slack.page_url)
    visitor = Visitor(page)
    visitor.be("Ana")
    visitor.type("/playbook")
    form = visitor.form
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
    visitor.post_of(lambda: visitor.submit("Go"), "2 at once")
    expect(page.locator("#violations")).to_be_hidden()
