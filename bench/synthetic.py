"""Findings that look like a cloud scanner's, made up on the way: 30 checks, unique resources, about 5.6 kB of JSON each.

Deterministic: finding *n* is the same in every run. Worst first and grouped by check, as a store streams them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from audit.findings import Finding, FindingDict
from audit.report import ReportHeader, Tally
from exporters.source import ReportSource

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CHECKS = 30
_SUBJECTS = (
    ("s3", "Storage", "bucket", "Bucket is open to the public"),
    ("ec2", "Network", "security group", "Security group admits the whole internet"),
    ("rds", "Database", "instance", "Database instance has a public address"),
    ("iam", "IAM", "user", "Console user signs in without a second factor"),
    ("kms", "Encryption", "key", "Key is not rotated every year"),
    ("cloudtrail", "Logging", "trail", "Trail does not validate its log files"),
)
_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
_SENTENCES = (
    "Whoever finds the address can read what is kept there, and automated searches find such addresses within hours.",
    "The setting was meant for a test and is easily forgotten, because nothing else depends on it afterwards.",
    "An attacker who holds one credential can use this to reach systems that the credential was never meant for.",
    "Regulators ask for evidence that access is limited to those who need it; this resource gives them the opposite.",
    "Change it first in a test account, watch the access logs for a day, and then roll it out account by account.",
    "Keep the previous value in the change record, so that the change can be taken back when a workload depends on it.",
)


def _prose(seed: int, sentences: int) -> str:
    return " ".join(_SENTENCES[(seed + place) % len(_SENTENCES)] for place in range(sentences))


def _compliance(check: int) -> dict[str, list[str]]:
    return {
        f"Framework-{number:02d}-{2020 + number % 6}": [
            f"{(check + number) % 14 + 1}.{part}.{check % 9 + 1}" for part in range(1, 6)
        ]
        for number in range(26)
    }


def _check(number: int) -> FindingDict:
    service, category, kind, title = _SUBJECTS[number % len(_SUBJECTS)]
    return FindingDict(
        id="",
        title=f"{title} ({number + 1})",
        severity=_SEVERITIES[number * len(_SEVERITIES) // CHECKS],
        category=category,
        resource="",
        description=f"The {kind}: {_prose(number, 14)}",
        remediation=f"Mend the {kind}. {_prose(number + 3, 16)}",
        status="FAIL",
        check_id=f"{service}_check_{number + 1:02d}",
        resource_type=f"Aws{service.capitalize()}{kind.title().replace(' ', '')}",
        provider="aws",
        service=service,
        reference_url=f"https://docs.example.com/{service}/check-{number + 1:02d}",
        compliance=_compliance(number),
    )


def findings(count: int) -> Iterator[FindingDict]:
    """Yield that many, an equal share for each check."""
    checks = [_check(number) for number in range(CHECKS)]
    for index in range(count):
        check = checks[index * CHECKS // count]
        account = f"{111122223333 + index % 7}"
        region = ("eu-west-1", "eu-central-1", "us-east-1")[index % 3]
        name = f"northwind-{check.get('service', '')}-{index:07d}"
        yield {
            **check,
            "id": f"prowler-{check.get('check_id')}-{account}-{region}-{name}",
            "resource": f"arn:aws:{check.get('service')}:{region}:{account}:{name}",
            "status": "PASS" if index % 8 == 0 else "FAIL",
            "account_id": account,
            "region": region,
            "evidence": f"{name} in account {account} is not set up as the check wants it.",
            "observed_at": "2026-11-24T08:30:00+00:00",
        }


def source(records: list[FindingDict]) -> ReportSource:
    """Return a source over findings in memory, trusted as a store's are."""
    tally = Tally()
    for record in records[:: max(1, len(records) // 500)]:
        tally.add(Finding.from_dict(record))
    header = ReportHeader(
        report_id="synthetic",
        source="synthetic",
        name="northwind",
        generated_at=NOW,
        summary=tally.summary(),
        compliance=tally.compliance(),
        recommendations=tally.recommendations(),
    )
    return ReportSource(header, lambda: iter(records))
