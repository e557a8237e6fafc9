"""Bare commands: a form with pickers that search, its errors below the fields, and what the typed words would have done."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.patience import PATIENCE_S
from tests.browser.scenarios.parts import id_in
from tests.browser.stage import Stage
from tests.browser.weeks import PICKED

pytestmark = pytest.mark.browser
READER = "reader@northwind.example"


def test_bare_report_mails_what_was_chosen(stage: Stage) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    visitor.type("/report")
    expect(visitor.form.get_by_role("heading", name="Report")).to_be_visible()
    visitor.form.get_by_label("What would you like?").select_option("email")
    visitor.submit("Go")
    expect(visitor.form).to_contain_text("Say to whom")
    visitor.form.get_by_label("To which addresses?").fill("nobody in particular")
    visitor.submit("Go")
    expect(visitor.form).to_contain_text("Only addresses, please")
    visitor.form.get_by_label("To which addresses?").fill(READER)
    visitor.pick("Which report?", "week-47", "northwind-week-47")
    visitor.form.get_by_label("As what kind of file?").select_option("csv")
    expect(visitor.answer_to(lambda: visitor.submit("Go"))).to_contain_text("Mail accepted for 1 of 1")
    visitor.has_gone(visitor.form)
    mail = stage.inbox.wait_for(lambda mail: READER in mail.recipients, PATIENCE_S)
    assert "northwind-week-47" in mail.subject
    expect(visitor.tab("Mail").get_by_text(f"To {READER}").first).to_be_visible()
    visitor.tab("Cloud")


def test_bare_report_exports_and_asks_for_the_kind(stage: Stage) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    visitor.type("/report")
    visitor.form.get_by_label("What would you like?").select_option("export")
    visitor.submit("Go")
    expect(visitor.form).to_contain_text("Choose a kind of file.")
    visitor.form.get_by_label("As what kind of file?").select_option("sarif")
    visitor.pick("Which report?", "week-46", "northwind-week-46")
    visitor.submit("Go")
    visitor.posted("Report as sarif, asked for by @ana")


def test_bare_playbook_asks_for_a_fix(stage: Stage) -> None:
    visitor, resource = stage.visitor, f"arn:aws:s3:::{PICKED}"
    visitor.be("Ana")
    visitor.type("/playbook")
    expect(visitor.form.get_by_role("heading", name="Playbook")).to_be_visible()
    visitor.submit("Go")
    expect(visitor.form).to_contain_text(re.compile("Choose .*to fix"))
    visitor.pick(
        re.compile("Which finding"), PICKED, re.compile(rf"block public access.*f-[0-9a-f]{{8}} {resource}")
    )
    visitor.pick("Which playbook?", "public", "AWS-PUBLIC-S3")
    card = visitor.post_of(lambda: visitor.submit("Go"), resource, "Waiting for approval")
    visitor.has_gone(visitor.form)
    visitor.press(card, "Reject")
    visitor.form.get_by_label("Why should this not run?").fill("A rehearsal")
    visitor.submit("Reject")
    expect(card).to_contain_text("Rejected by @ana")
    expect(card).to_contain_text("A rehearsal")


def test_bare_schedule_makes_one(stage: Stage) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    visitor.type("/schedule")
    expect(visitor.form.get_by_role("heading", name="Schedule")).to_be_visible()
    visitor.form.get_by_label("How often?").select_option("cron")
    visitor.submit("Go")
    expect(visitor.form).to_contain_text("Say when: minute, hour, day, month and weekday")
    visitor.form.get_by_label("By which crontab line?").fill("0 9 * * 9")
    visitor.submit("Go")
    expect(visitor.form).to_contain_text("0 to 7")
    visitor.form.get_by_label("By which crontab line?").fill("30 6 * * 1-5")
    visitor.pick("In which time zone?", "berlin", "Europe/Berlin")
    visitor.form.get_by_label("To which channel?").select_option(label="#general")
    answer = visitor.answer_to(lambda: visitor.submit("Go"))
    visitor.has_gone(visitor.form)
    expect(answer).to_contain_text(
        re.compile(r"Scheduled: s-\w+ to #general.*30 6 \* \* 1-5.*Europe/Berlin", re.DOTALL)
    )
    visitor.ask(f"/schedule remove {id_in(answer, 's')}")
