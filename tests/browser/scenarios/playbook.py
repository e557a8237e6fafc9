"""`/playbook`, word by word."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from handlers.vocabulary import PLAYBOOK
from remediation.library import PlaybookLibrary
from tests.browser.scenarios.parts import ask_for_fix, expect_help, id_in, plays
from tests.browser.stage import ALL_ON, Stage

DONE = "Done, and verified"


@plays("/playbook", "list")
def list_playbooks(stage: Stage) -> None:
    stage.visitor.be("Otto")
    answer = stage.visitor.ask("/playbook list")
    for playbook_id in PlaybookLibrary.get_all_playbooks():
        expect(answer).to_contain_text(playbook_id)


@plays("/playbook", "show")
def show_playbook(stage: Stage) -> None:
    stage.visitor.be("Otto")
    answer = stage.visitor.ask("/playbook show AWS-PUBLIC-S3")
    for words in ("Steps", "block_public_access", "@sec-approvers", "s3_bucket_public_access"):
        expect(answer).to_contain_text(words)


@plays("/playbook", "run")
def run_playbook(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    expect(card).to_contain_text(re.compile(r"BlockPublicAcls\s+not set → on"))
    for person, refusal in (("Ana", "somebody else has to approve it"), ("Otto", "not among the approvers")):
        visitor.be(person)
        expect(visitor.answer_to(lambda: visitor.press(card, "Approve"))).to_contain_text(refusal)
    assert stage.flags(finding) == set()

    visitor.be("Omar")
    visitor.press(card, "Approve")
    expect(card).to_contain_text(DONE)
    expect(card).to_contain_text("Approved by @omar")
    assert stage.flags(finding) == ALL_ON
    visitor.be("Ana")
    visitor.go_to("Countersign")
    expect(visitor.posted(finding.handle, DONE)).to_contain_text("Approved by @omar")
    visitor.go_to("security")
    visitor.be("Omar")
    visitor.press(card, "Roll back")
    assert "back to not set" in visitor.confirm("Roll back")
    expect(card).to_contain_text("Everything is as it was before, verified")
    assert stage.flags(finding) == set()


@plays("/playbook", "pending")
def list_pending(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    execution = id_in(card, "x")
    expect(visitor.ask("/playbook pending")).to_contain_text(execution)
    visitor.ask(f"/playbook reject {execution} Asked by mistake")
    expect(card).to_contain_text("Rejected")
    expect(visitor.ask("/playbook pending")).not_to_contain_text(execution)


@plays("/playbook", "history")
def list_history(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    execution = id_in(ask_for_fix(stage, finding), "x")
    expect(visitor.ask(f"/playbook history {finding.handle}")).to_contain_text(f"{execution}")
    visitor.be("Omar")
    visitor.ask(f"/playbook reject {execution} Not in this quarter")
    answer = visitor.ask(f"/playbook history {finding.handle}")
    expect(answer).to_contain_text("Rejected. Nothing was changed")
    expect(visitor.ask("/playbook history")).to_contain_text(execution)


@plays("/playbook", "status")
def show_status(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    execution = id_in(card, "x")
    expect(visitor.ask(f"/playbook status {execution}")).to_contain_text("0 of 1 approvals")
    visitor.be("Omar")
    visitor.press(card, "Approve")
    expect(card).to_contain_text(DONE)
    answer = visitor.ask(f"/playbook status {execution[:8]}")
    expect(answer).to_contain_text(DONE)
    expect(answer).to_contain_text(re.compile("So far.*block_public_access", re.DOTALL))


@plays("/playbook", "approve")
def offer_to_sign(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    visitor.be("Omar")
    answer = visitor.ask(f"/playbook approve {id_in(card, 'x')}")
    expect(answer).to_contain_text("Nothing is signed yet")
    expect(answer).to_contain_text(re.compile(r"digest [0-9a-f]{8,}"))
    assert stage.flags(finding) == set()
    visitor.press(answer, "Approve")
    expect(answer).to_contain_text("Your signature on Fix Public S3 Bucket is recorded")
    expect(card).to_contain_text(DONE)
    assert stage.flags(finding) == ALL_ON


@plays("/playbook", "reject")
def reject(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    execution = id_in(card, "x")
    visitor.be("Otto")
    expect(visitor.ask(f"/playbook reject {execution} I do not like it")).to_contain_text(
        "not among the approvers"
    )
    visitor.be("Omar")
    expect(visitor.ask(f"/playbook reject {execution} no")).to_contain_text("at least 3 characters")
    answer = visitor.ask(f"/playbook reject {execution} The website needs it until Friday")
    expect(answer).to_contain_text("is rejected. Nothing was changed")
    expect(card).to_contain_text("Rejected by @omar")
    expect(card).to_contain_text("The website needs it until Friday")
    expect(card.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    assert stage.flags(finding) == set()


@plays("/playbook", "rollback")
def offer_rollback(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    visitor.be("Omar")
    visitor.press(card, "Approve")
    expect(card).to_contain_text(DONE)
    answer = visitor.ask(f"/playbook rollback {id_in(card, 'x')}")
    expect(answer).to_contain_text("Nothing is put back yet")
    assert stage.flags(finding) == ALL_ON
    visitor.press(answer, "Roll back")
    assert "back to not set" in visitor.confirm("Roll back")
    expect(answer).to_contain_text("is under way")
    expect(card).to_contain_text("Everything is as it was before, verified")
    assert stage.flags(finding) == set()


@plays("/playbook", "exceptions")
def make_and_end_an_exception(stage: Stage) -> None:
    visitor, finding = stage.visitor, stage.next_finding()
    card = ask_for_fix(stage, finding)
    visitor.be("Omar")
    visitor.press(card, "Reject")
    visitor.form.get_by_label("Why should this not run?").fill("x")
    visitor.submit("Reject")
    expect(visitor.form).to_contain_text("At least 3 characters")
    visitor.form.get_by_label("Why should this not run?").fill("It is our press kit, meant to be public")
    until = datetime.now(UTC).date() + timedelta(days=30)
    visitor.form.get_by_label("Leave the finding as it is").fill(until.isoformat())
    visitor.form.get_by_label("Who answers for that?").select_option(label="Priya Approver")
    visitor.submit("Reject")
    visitor.has_gone(visitor.form)
    expect(card).to_contain_text("It is our press kit, meant to be public")

    answer = visitor.ask("/playbook exceptions")
    expect(answer).to_contain_text(finding.handle)
    expect(answer).to_contain_text("@priya answers for it")
    visitor.be("Ana")
    refusal = visitor.ask(f"/playbook run AWS-PUBLIC-S3 {finding.handle}")
    expect(refusal).to_contain_text("@priya")
    visitor.be("Omar")
    line = answer.inner_text().partition(finding.handle)[0]
    exception = re.findall(r"\be-[0-9a-f]{4,}", line)[-1]
    expect(visitor.ask(f"/playbook exceptions end {exception}")).to_contain_text("is over")
    expect(visitor.ask("/playbook exceptions")).not_to_contain_text(finding.handle)


@plays("/playbook", "help")
def help_with_playbooks(stage: Stage) -> None:
    stage.visitor.be("Otto")
    expect_help(stage, PLAYBOOK)
