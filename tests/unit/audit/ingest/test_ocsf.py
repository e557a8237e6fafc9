"""Prowler's OCSF: which field means what, and that optional parts may be missing or odd."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit import Finding
from audit.errors import InputError
from audit.ingest import Item, Reading, Rejected
from audit.ingest.ocsf import to_finding

ReadFile = Callable[[Path | str], tuple[Reading, list[Item]]]
MINIMAL = {
    "metadata": {"event_code": "s3_bucket_public_access"},
    "class_uid": 2004,
    "severity_id": 4,
    "finding_info": {"uid": "u", "title": "t"},
}


def finding_in(read_file: ReadFile, name: str, place: int) -> Finding:
    item = read_file(name)[1][place]
    assert isinstance(item, Finding)
    return item


def test_a_full_finding(read_file: ReadFile) -> None:
    finding = finding_in(read_file, "prowler_aws.ocsf.json", 0)
    assert finding.to_dict() == {
        "id": "prowler-aws-s3_bucket_public_access-210987654321-eu-central-1-wellmann",
        "title": "S3 bucket must not be open",
        "severity": "CRITICAL",
        "category": "Storage",
        "resource": "arn:aws:s3:::wellmann-rechnungen",
        "description": "A bucket must not be open to everyone.",
        "remediation": "Block it.",
        "status": "FAIL",
        "check_id": "s3_bucket_public_access",
        "resource_type": "AwsS3Bucket",
        "provider": "aws",
        "account_id": "210987654321",
        "region": "eu-central-1",
        "service": "s3",
        "evidence": "Everyone may list wellmann-rechnungen für Köln.",
        "reference_url": "https://docs.aws.amazon.com/s3/",
        "observed_at": "2025-12-01T06:00:00+00:00",
        "compliance": {"CIS-3.0": ["2.1.4"], "PCI-4.0": ["1.4.4", "1.3.1"]},
    }


def test_a_suppressed_finding_is_muted_but_keeps_its_verdict(read_file: ReadFile) -> None:
    finding = finding_in(read_file, "prowler_aws.ocsf.json", 1)
    assert (finding.muted, finding.status, finding.category, finding.service) == (True, "FAIL", "IAM", "iam")


def test_nulls_and_numeric_ids(read_file: ReadFile) -> None:
    finding = finding_in(read_file, "prowler_aws.ocsf.json", 2)
    assert finding.to_dict() == {
        "id": "4711",
        "title": "Security questions",
        "severity": "INFO",
        "category": "account",
        "resource": "",
        "description": "",
        "remediation": "",
        "status": "MANUAL",
        "check_id": "account_security_questions",
        "service": "account",
    }


def test_a_cluster_stands_in_for_account_and_namespace_for_region(read_file: ReadFile) -> None:
    finding = finding_in(read_file, "prowler_kubernetes.ocsf.json", 0)
    assert (finding.provider, finding.account_id, finding.region) == ("kubernetes", "harbour", "kube-system")
    assert finding.observed_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert finding.evidence == "The kubelet answers strangers."


def test_lines_and_what_is_wrong_with_them(read_file: ReadFile) -> None:
    items = read_file("prowler_lines.ocsf.jsonl")[1]
    severities = "CRITICAL, HIGH, MEDIUM, LOW, INFO"
    assert [item for item in items if isinstance(item, Rejected)] == [
        Rejected(2, "a finding needs its id"),
        Rejected(3, f"'Unknown' is not a severity ({severities})"),
        Rejected(5, "OCSF class '2003' is not read, only 2004 (detection finding)"),
        Rejected(6, "a finding must be an object"),
    ]


def test_optional_parts_of_the_wrong_kind_count_as_missing(read_file: ReadFile) -> None:
    finding = finding_in(read_file, "prowler_lines.ocsf.jsonl", 3)
    assert finding.to_dict() == {
        "id": "l-4",
        "title": "Odd",
        "severity": "HIGH",
        "category": "",
        "resource": "",
        "description": "",
        "remediation": "",
        "status": "FAIL",
        "reference_url": "https://example.com/one",
        "compliance": {"PCI": ["1.1"], "ISO": ["7"]},
    }


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ({"severity_id": 6}, "CRITICAL"),
        ({"severity_id": "2", "severity": None}, "LOW"),
        ({"severity_id": 99, "severity": "Moderate"}, "MEDIUM"),
        ({"severity_id": None, "severity": "informational"}, "INFO"),
    ],
)
def test_severity_by_number_or_word(given: dict[str, object], severity: str) -> None:
    assert to_finding(MINIMAL | given).severity == severity


def test_without_any_severity_it_is_refused() -> None:
    with pytest.raises(InputError, match="severity"):
        to_finding(MINIMAL | {"severity_id": 0})


@pytest.mark.parametrize(
    ("given", "muted"),
    [
        ({"status": "suppressed"}, True),
        ({"status_id": 3}, True),
        ({"status": "New", "status_id": 1}, False),
        ({}, False),
    ],
)
def test_muted_by_word_or_number(given: dict[str, object], muted: bool) -> None:
    assert to_finding(MINIMAL | given).muted is muted


def test_a_nameless_title_falls_back_on_the_check() -> None:
    assert to_finding(MINIMAL | {"finding_info": {"uid": "u"}}).title == "s3_bucket_public_access"


def test_the_reference_is_a_web_address_or_nothing() -> None:
    commands = {"references": ["aws s3api put-public-access-block", "javascript:alert(1)"]}
    assert to_finding(MINIMAL | {"remediation": commands}).reference_url == ""


def test_the_time_falls_back_on_the_events_own() -> None:
    assert to_finding(MINIMAL | {"time": 1764568800000}).observed_at == datetime(2025, 12, 1, 6, tzinfo=UTC)
