"""The specification's complete workflow, run from an account to a fix: as its text stands, but for three things.

`src.` is gone from the imports; what draws the PDF is handed to the report, since audits draw nothing; and the approver, of whom the
text only says that there has to be one, is there. The account is moto's, the mail server a real one on this machine.
"""

import csv
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from audit.collect import Reader, buckets
from audit.collect.analysis import judge_storage
from exporters import PDFExporter
from remediation import PlaybookExecutor, PlaybookStatus, find_playbook_for_finding
from remediation.actions.aws.errors import aws_errors
from tests.conftest import ACCOUNT, NOW
from tests.fakes.authority import Authority
from tests.integration.mail.conftest import PASSWORD, USER, Inbox, Serve, authority, serve

__all__ = ["authority", "serve"]  # pytest finds the fixtures here

GUIDE = """
from audit import AWSAuditReport
from exporters import JSONExporter, CSVExporter, HTMLExporter, EmailService
from remediation import PlaybookExecutor, PlaybookLibrary

# 1. Generate audit report
report = AWSAuditReport("123456789012", renderer=renderer)
report.add_iam_analysis(iam_data)
report.add_storage_analysis(storage_data)
report.enable_compliance_mapping()
report_data = report.generate_pdf()

# 2. Export in multiple formats
json_exporter = JSONExporter()
json_exporter.export_report(report_data, "reports/audit.json")

csv_exporter = CSVExporter()
csv_exporter.export_findings_to_csv(report_data['findings'], "reports/findings.csv")
csv_exporter.export_remediation_tracker_to_csv(report_data['findings'], "reports/tracker.csv")

html_exporter = HTMLExporter()
html_exporter.export_email_template(report_data, "reports/email.html", "Alice Johnson")

# 3. Send report via email
email_service = EmailService()
email_service.send_report_with_attachment(
    recipient_emails=["ciso@company.com"],
    subject="Production Audit Report",
    html_content=open("reports/email.html").read(),
    report_file_path="reports/audit.pdf"
)

# 4. Auto-remediate critical findings
executor = PlaybookExecutor()
playbooks = PlaybookLibrary.get_all_playbooks()

for finding in report_data['findings']:
    if finding['severity'] == 'CRITICAL':
        # Find matching playbook
        playbook_id = find_playbook_for_finding(finding)
        playbook = playbooks[playbook_id]

        # Execute with approval
        execution = executor.execute_playbook(
            playbook,
            finding,
            initiated_by="automation@company.com",
            dry_run=False
        )

        print(f"Remediation {execution.execution_id}: {execution.status.value}")
"""
IAM_DATA = {
    "root": {"mfa_active": False},
    "users": [{"name": "alice", "password_enabled": True, "mfa_active": True, "access_keys": []}],
    "password_policy": {"minimum_length": 8, "remembered_passwords": 24},
}
PROBLEMS = {
    ("iam_root_mfa_enabled", f"arn:aws:iam::{ACCOUNT}:root"),
    ("iam_password_policy_minimum_length_14", f"arn:aws:iam::{ACCOUNT}:password-policy"),
    *(
        (f"iam_password_policy_{what}", f"arn:aws:iam::{ACCOUNT}:password-policy")
        for what in ("uppercase", "lowercase", "number", "symbol")
    ),
}
OF_THE_BUCKET = {
    "s3_bucket_public_access",
    "s3_bucket_level_public_access_block",
    "s3_bucket_default_encryption",
    "s3_bucket_server_access_logging_enabled",
    "s3_bucket_object_versioning",
}


@pytest.fixture
def mailbox(serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Inbox:
    """Be the mail server that the environment names, with a certificate that this machine trusts."""
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    inbox = Inbox()
    said = {"SMTP_SERVER": "127.0.0.1", "SMTP_PORT": str(serve(inbox).port), "SSL_CERT_FILE": str(trusted)}
    monkeypatch.chdir(tmp_path)
    for name, value in {**said, "SENDER_EMAIL": USER, "SENDER_PASSWORD": PASSWORD}.items():
        monkeypatch.setenv(name, value)
    return inbox


def read_bucket(s3: Any, bucket: str) -> dict[str, object]:
    """Read the bucket the way an audit of the live account does."""
    reader = Reader(clients=lambda _service, _region: s3, explain=aws_errors)
    found = buckets.read_buckets(reader, home="us-east-1")
    return next(dict(facts) for facts in found if facts["name"] == bucket)


def failing(findings: Any) -> set[tuple[str, str]]:
    return {(each["check_id"], each["resource"]) for each in findings if each["status"] == "FAIL"}


@pytest.fixture
def guide(
    s3: Any, bucket: str, mailbox: Inbox, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Run the guide in a folder of its own, on an account with a bucket that is open to everyone."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    names = {
        "iam_data": IAM_DATA,
        "storage_data": {"buckets": [read_bucket(s3, bucket)]},
        "find_playbook_for_finding": find_playbook_for_finding,
        "renderer": PDFExporter().export_report_to_pdf,
    }
    exec(compile(GUIDE, "the guide", "exec"), names)  # noqa: S102 - the specification's own text
    return names


@pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning"
)  # the guide opens its mail and never closes it
def test_the_complete_workflow(
    guide: dict[str, Any], s3: Any, bucket: str, mailbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    data, resource = guide["report_data"], f"arn:aws:s3:::{bucket}"
    assert failing(data["findings"]) == PROBLEMS | {(check, resource) for check in OF_THE_BUCKET}
    assert set(data["compliance"]) >= {"CIS v8", "PCI DSS", "CIS-3.0"}
    the_files_hold_the_findings(data)
    the_mail_arrived_with_the_report(mailbox)

    executor: PlaybookExecutor = guide["executor"]
    asked = {execution.finding.check_id: execution for execution in executor.get_execution_history()}
    assert {check: each.playbook["playbook_id"] for check, each in asked.items()} == {
        "s3_bucket_public_access": "AWS-PUBLIC-S3",
        "iam_root_mfa_enabled": "ENABLE-MFA",
    }
    assert {each.status for each in asked.values()} == {PlaybookStatus.PENDING}
    assert not is_closed(s3, bucket), "nothing runs before a second person has signed"

    fix = asked["s3_bucket_public_access"].execution_id
    assert executor.approve_execution(fix, "manager@company.com")
    assert executor.get_execution(fix).status is PlaybookStatus.COMPLETED
    assert is_closed(s3, bucket)
    storage = {"buckets": [read_bucket(s3, bucket)]}
    after = [each.to_dict() for each in judge_storage(storage, account_id=ACCOUNT, when=NOW)]
    mended = {"s3_bucket_public_access", "s3_bucket_level_public_access_block"}
    assert failing(after) == {(check, resource) for check in OF_THE_BUCKET - mended}

    assert executor.rollback_execution(fix)
    assert not is_closed(s3, bucket)
    assert read_bucket(s3, bucket) == guide["storage_data"]["buckets"][0]


def is_closed(s3: Any, bucket: str) -> bool:
    return read_bucket(s3, bucket)["public_access_block"] is not None


def the_files_hold_the_findings(data: Any) -> None:
    written = json.loads(Path("reports/audit.json").read_text(encoding="utf-8"))
    assert written["summary"] == json.loads(json.dumps(data["summary"]))
    assert len(written["findings"]) == len(data["findings"])
    assert written["metadata"]["version"] == "1.0"
    for name in ("findings", "tracker"):
        rows = list(csv.DictReader(Path(f"reports/{name}.csv").read_text(encoding="utf-8-sig").splitlines()))
        wanted = len(data["findings"]) if name == "findings" else len(failing(data["findings"]))
        assert len(rows) == wanted, name
    assert "Alice Johnson" in Path("reports/email.html").read_text(encoding="utf-8")
    assert Path("reports/audit.pdf").read_bytes().startswith(b"%PDF")


def the_mail_arrived_with_the_report(mailbox: Inbox) -> None:
    (envelope,) = mailbox.envelopes
    assert envelope.rcpt_tos == ["ciso@company.com"]
    message = message_from_bytes(envelope.content)  # type: ignore[arg-type]
    assert message["Subject"] == "Production Audit Report"
    attached = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert attached["audit.pdf"].get_payload(decode=True) == Path("reports/audit.pdf").read_bytes()
