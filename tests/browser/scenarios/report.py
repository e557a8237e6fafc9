"""`/report`, word by word."""

import re

from playwright.sync_api import expect

from handlers.vocabulary import REPORT
from tests.browser.scenarios.parts import expect_help, plays
from tests.browser.stage import Stage
from tests.browser.weeks import BUCKETS, PICKED

CISO = "ciso@northwind.example"
HUB_REGION = "eu-west-3"


@plays("/report", "list")
def list_reports(stage: Stage) -> None:
    stage.visitor.be("Otto")
    answer = stage.visitor.ask("/report list")
    for report_id, week in zip(stage.reports, range(44, 49), strict=True):
        expect(answer).to_contain_text(f"northwind-week-{week}.ocsf.json {report_id}")
    expect(answer).to_contain_text("score")


@plays("/report", "show")
def show_report(stage: Stage) -> None:
    stage.visitor.be("Ana")
    answer = stage.visitor.ask(f"/report show {stage.reports[-1]}")
    expect(answer).to_contain_text(
        re.compile(r"Critical 2.*Security score.*Root user must have MFA", re.DOTALL)
    )
    expect(answer).to_contain_text(re.compile(r"Fix: /playbook run AWS-PUBLIC-S3 f-[0-9a-f]{8}"))


@plays("/report", "findings")
def search_findings(stage: Stage) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    answer = visitor.ask(f"/report findings severity:medium status:all {BUCKETS[0]}")
    expect(answer).to_contain_text("Findings 1 to 1 of 1")
    expect(answer).to_contain_text(stage.findings[BUCKETS[0]].handle)

    answer = visitor.ask("/report findings severity:medium status:all northwind")
    expect(answer).to_contain_text("Findings 1 to 8 of")
    first = answer.inner_text()
    visitor.press(answer, "Next")
    expect(answer).to_contain_text("Findings 9 to")
    assert answer.inner_text().split("\n")[8] not in first
    visitor.press(answer, "Previous")
    expect(answer).to_contain_text("Findings 1 to 8 of")


@plays("/report", "compare")
def compare_reports(stage: Stage) -> None:
    stage.visitor.be("Ana")
    answer = stage.visitor.ask(f"/report compare {stage.reports[0]} {stage.reports[-1]}")
    expect(answer).to_contain_text("northwind-week-44.ocsf.json")
    expect(answer).to_contain_text(re.compile(r"Still open: \d+"))
    expect(answer).to_contain_text(re.compile(r"Fixed: \d+.*EBS snapshot must not be public", re.DOTALL))


@plays("/report", "trend")
def show_trend(stage: Stage) -> None:
    stage.visitor.be("Ana")
    stage.visitor.type(f"/report trend {stage.reports[-1]}")
    posted = stage.visitor.posted("Trend over 5 reports", f"trend-{stage.reports[-1]}.png")
    picture = posted.locator("img.preview")
    expect(picture).to_have_attribute("alt", re.compile("score", re.IGNORECASE))
    picture.evaluate("image => image.decode()")  # fails where the bytes are no picture
    assert picture.evaluate("image => image.naturalWidth") > 300


@plays("/report", "export")
def export_report(stage: Stage) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    visitor.type(f"/report export csv {stage.reports[-1]}")
    posted = visitor.posted("Report as csv, asked for by @ana")
    with visitor.page.expect_popup() as opened:
        posted.get_by_role("link", name=re.compile("^Open ")).click()
    expect(opened.value.locator("body")).to_contain_text(BUCKETS[0])
    opened.value.close()


@plays("/report", "email")
def email_report(stage: Stage) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    answer = visitor.ask(f"/report email {CISO} pdf {stage.reports[-1]}")
    expect(answer).to_contain_text("Mail accepted for 1 of 1")
    mails = visitor.tab("Mail")
    # A schedule may be sending the same report to somebody else just now.
    mails.get_by_role("button", name=re.compile(f"{CISO}.*northwind-week-48")).first.click()
    expect(mails.locator(".mail-facts")).to_contain_text(CISO)
    expect(mails.get_by_role("link", name=re.compile(r"^Open .*\.pdf$"))).to_be_visible()
    expect(visitor.page.frame_locator("iframe").get_by_text("Root user must have MFA").first).to_be_visible()
    visitor.page.keyboard.press("Escape")
    visitor.tab("Cloud")


@plays("/report", "pull")
def pull_report(stage: Stage) -> None:
    stage.fill_security_hub(HUB_REGION, [_hub_finding(bucket) for bucket in (PICKED, "hub-a", "hub-b")])
    stage.visitor.be("Ana")
    answer = stage.visitor.ask(f"/report pull aws {HUB_REGION} HIGH")
    expect(answer).to_contain_text("3 findings from Security Hub")
    expect(answer).to_contain_text("3 high")
    expect(stage.visitor.ask("/report list")).to_contain_text(f"securityhub-{HUB_REGION}")


def _hub_finding(bucket: str) -> dict[str, object]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:securityhub:{HUB_REGION}:123456789012:finding/{bucket}",
        "ProductArn": f"arn:aws:securityhub:{HUB_REGION}::product/aws/securityhub",
        "GeneratorId": "security-control/S3.8",
        "AwsAccountId": "123456789012",
        "CreatedAt": "2026-11-20T10:00:00Z",
        "UpdatedAt": "2026-11-21T10:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "S3 buckets should block public access",
        "Description": "Says whether the bucket blocks public access.",
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::{bucket}"}],
        "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.8"},
        "RecordState": "ACTIVE",
    }


@plays("/report", "help")
def help_with_reports(stage: Stage) -> None:
    stage.visitor.be("Otto")
    expect_help(stage, REPORT)
