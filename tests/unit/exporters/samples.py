"""A small report of a made-up company, whole and hostile, and readers that find the text again."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
_REPORT: dict[str, object] = {
    "metadata": {
        "report_id": "rep-7",
        "report_name": "Northwind production",
        "source": "Prowler OCSF",
        "generated_at": "2026-11-24T08:00:00+00:00",
    },
    "findings": [
        {
            "id": "F-1",
            "title": "Bucket is open to the public",
            "severity": "CRITICAL",
            "category": "Storage",
            "resource": "arn:aws:s3:::northwind-invoices",
            "description": "Anyone on the internet can read the bucket's objects.",
            "remediation": "Turn on Block Public Access for the bucket.",
            "status": "FAIL",
            "check_id": "s3_bucket_public_access",
            "resource_type": "AwsS3Bucket",
            "provider": "aws",
            "account_id": "123456789012",
            "region": "eu-west-1",
            "service": "s3",
            "evidence": "Bucket northwind-invoices has no public access block.",
            "reference_url": "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
            "observed_at": "2026-11-24T07:59:00+00:00",
            "compliance": {"CIS-1.5": ["2.1.5"], "PCI-4.0": ["1.3.1", "1.3.2"]},
        },
        {
            "id": "F-2",
            "title": "Bucket is open to the public",
            "severity": "CRITICAL",
            "category": "Storage",
            "resource": "arn:aws:s3:::northwind-press",
            "description": "Anyone on the internet can read the bucket's objects.",
            "remediation": "Turn on Block Public Access for the bucket.",
            "status": "PASS",
            "check_id": "s3_bucket_public_access",
            "provider": "aws",
            "account_id": "123456789012",
            "region": "eu-west-1",
            "service": "s3",
            "compliance": {"CIS-1.5": ["2.1.5"], "PCI-4.0": ["1.3.1", "1.3.2"]},
        },
        {
            "id": "F-3",
            "title": "Security group admits the whole internet",
            "severity": "HIGH",
            "category": "Network",
            "resource": "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0a1b",
            "description": "Port 22 is reachable from 0.0.0.0/0.",
            "remediation": "Limit the source to the office's address range.",
            "status": "FAIL",
            "check_id": "ec2_securitygroup_ssh",
            "compliance": {"CIS-1.5": ["5.2"]},
        },
        {
            "id": "F-4",
            "title": "Root account has no second factor",
            "severity": "MEDIUM",
            "category": "IAM",
            "resource": "123456789012",
            "description": "",
            "remediation": "",
            "status": "MANUAL",
            "compliance": {},
        },
        {
            "id": "F-5",
            "title": "Key is not rotated",
            "severity": "LOW",
            "category": "Encryption",
            "resource": "arn:aws:kms:eu-west-1:123456789012:key/k-1",
            "description": "The key keeps its material for longer than a year.",
            "remediation": "Turn on yearly rotation.",
            "status": "FAIL",
            "muted": True,
        },
        {
            "id": "F-6",
            "title": "Trail validates its log files",
            "severity": "LOW",
            "category": "Logging",
            "resource": "arn:aws:cloudtrail:eu-west-1:123456789012:trail/main",
            "description": "Validation shows later changes to a log file.",
            "remediation": "",
            "status": "PASS",
            "compliance": {"CIS-1.5": ["3.2"]},
        },
    ],
}


def report() -> dict[str, object]:
    """Return the sample report, a fresh copy."""
    return copy.deepcopy(_REPORT)


def finding(**changes: object) -> dict[str, object]:
    """Return a complete finding with some fields changed."""
    return {
        "id": "F-1",
        "title": "Bucket is public",
        "severity": "CRITICAL",
        "category": "Storage",
        "resource": "arn:aws:s3:::b",
        "description": "Anyone can read it.",
        "remediation": "Close it.",
        "status": "FAIL",
        **changes,
    }


def twenty_one_malformed() -> dict[str, object]:
    """Return twenty findings of which the sixth has no title."""
    findings = [finding(id=f"F-{number}") for number in range(1, 21)]
    del findings[5]["title"]
    return {"findings": findings}


class Page(HTMLParser):
    """An HTML file read back the way a browser would: its tags, and the text a person sees."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self._open[-1:]):
            self._texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def attributes(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]

    def named(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]
