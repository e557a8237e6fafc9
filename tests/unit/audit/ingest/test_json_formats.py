"""Which field of a scanner's JSON means what."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from audit import Finding
from audit.ingest import Item, Rejected, asff, cloudsploit, read_report, securityhub
from remediation.library import PlaybookLibrary
from remediation.matching import sure_match
from tests.unit.audit.ingest.known import (
    ASFF_FINDING,
    CLOUDSPLOIT_FINDING,
    KNOWN,
    SARIF_RUNS,
    SCOUTSUITE_RESULTS,
    SECURITY_HUB_FINDING,
)

FSBP = "AWS-Foundational-Security-Best-Practices"
OBSERVED = datetime(2026, 1, 5, 8, tzinfo=UTC)


def read_all(document: object) -> list[Item]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(read_report(BytesIO(content), "report").items)


def only(document: object) -> Finding:
    (item,) = read_all(document)
    assert isinstance(item, Finding)
    return item


def changed(record: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy of a record with the member at a dotted path set, or taken out where the value is `...`."""
    copy = deepcopy(record)
    *parents, last = path.split(".")
    place: Any = copy
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copy


def test_a_security_hub_finding_in_asff() -> None:
    finding = only([ASFF_FINDING])
    assert finding.to_dict() == {
        "id": ASFF_FINDING["Id"],
        "title": "S3 general purpose buckets should block public access",
        "severity": "HIGH",
        "category": "Storage",
        "resource": "arn:aws:s3:::koeln",
        "description": "Checks the block.",
        "remediation": "See the page.",
        "status": "FAIL",
        "check_id": "S3.8",
        "resource_type": "AwsS3Bucket",
        "provider": "aws",
        "account_id": "210987654321",
        "region": "eu-west-1",
        "service": "s3",
        "evidence": "The block is off. Also: arn:aws:s3:::bonn",
        "reference_url": "https://docs.example.com/S3.8",
        "observed_at": "2026-01-05T08:00:00+00:00",
        "compliance": {"CIS-1.4": ["2.1.5"], "NIST.800-53.r5": ["AC-3", "AC-4"], FSBP: ["S3.8"]},
    }


def test_the_same_finding_in_both_forms_of_security_hub_is_the_same_finding() -> None:
    older, newer = asff.to_finding(ASFF_FINDING), securityhub.to_finding(SECURITY_HUB_FINDING)
    for name in ("fingerprint", "check_id", "resource", "resource_type", "category", "severity", "status"):
        assert getattr(newer, name) == getattr(older, name)
    assert newer.compliance == {"CIS-1.4": ("2.1.5",), "NIST.800-53.r5": ("AC-3",), FSBP: ("S3.8",)}
    assert newer.observed_at == older.observed_at == OBSERVED
    assert newer.evidence == "The block is off."


@pytest.mark.parametrize("source", ["AWS Security Finding Format", "Security Hub OCSF"])
def test_a_control_finds_its_playbook(source: str) -> None:
    match = sure_match(only(KNOWN[source].content), PlaybookLibrary.get_all_playbooks())
    assert match is not None
    assert match.playbook.playbook_id == "AWS-PUBLIC-S3"


@pytest.mark.parametrize(
    "wrapped",
    [
        {"Findings": [ASFF_FINDING], "NextToken": "n"},
        {"findings": [ASFF_FINDING]},
        {
            "version": "0",
            "detail-type": "Security Hub Findings - Imported",
            "detail": {"findings": [ASFF_FINDING]},
        },
        json.dumps({"detail": {"findings": [ASFF_FINDING]}}).encode() * 1,
        json.dumps(ASFF_FINDING).encode(),
        {"detail": {"findings": [SECURITY_HUB_FINDING]}},
        {"Findings": [SECURITY_HUB_FINDING]},
    ],
)
def test_a_list_may_be_wrapped(wrapped: object) -> None:
    assert only(wrapped).check_id == "S3.8"


def test_events_one_after_another() -> None:
    event = json.dumps({"detail": {"findings": [ASFF_FINDING, 7]}}).encode()
    assert [type(item) for item in read_all(event + b"\n" + event)] == [Finding, Rejected, Finding, Rejected]


def test_no_findings_at_security_hub_is_no_unknown_format() -> None:
    assert read_all({"Findings": []}) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("Compliance.Status", "PASSED", {"status": "PASS"}),
        ("Compliance.Status", "WARNING", {"status": "FAIL"}),
        ("Compliance.Status", "NOT_AVAILABLE", {"status": "MANUAL"}),
        ("Compliance.Status", "INFOED", {"status": "MANUAL"}),
        ("Workflow.Status", "SUPPRESSED", {"muted": True, "status": "FAIL"}),
        ("RecordState", "ARCHIVED", {"muted": True}),
        ("Severity", {"Normalized": 0}, {"severity": "INFO"}),
        ("Severity", {"Normalized": 89}, {"severity": "HIGH"}),
        ("Severity", {"Normalized": 90}, {"severity": "CRITICAL"}),
        ("Resources.0.Id", "AWS::::Account:210987654321", {"resource": "210987654321"}),
        ("Resources.0.Region", None, {"region": "eu-west-1"}),
        ("Resources", None, {"resource": "", "evidence": "The block is off."}),
        ("Resources.0.Type", "AwsEc2SecurityGroup", {"category": "Network"}),
        ("Compliance.SecurityControlId", None, {"check_id": "S3.8"}),
    ],
)
def test_asff_field_by_field(path: str, value: object, expected: dict[str, object]) -> None:
    finding = asff.to_finding(changed(ASFF_FINDING, path, value))
    assert {name: getattr(finding, name) for name in expected} == expected


@pytest.mark.parametrize(("workflow", "status"), [("NEW", "FAIL"), ("RESOLVED", "PASS")])
def test_what_has_no_verdict_is_itself_the_news(workflow: str, status: str) -> None:
    record = changed(changed(ASFF_FINDING, "Compliance", ...), "Workflow.Status", workflow)
    assert asff.to_finding(changed(record, "GeneratorId", "arn:aws:guardduty:x")).status == status


def test_the_older_form_names_its_standard_in_the_generator() -> None:
    record = changed(ASFF_FINDING, "Compliance", {"Status": "FAILED"})
    record["GeneratorId"] = "aws-foundational-security-best-practices/v/1.0.0/S3.8"
    finding = asff.to_finding(record)
    assert (finding.check_id, finding.compliance) == ("S3.8", {FSBP: ("S3.8",)})


def test_prowlers_asff_keeps_prowlers_names() -> None:
    record = changed(ASFF_FINDING, "GeneratorId", "prowler-s3_bucket_public_access")
    record["Compliance"] = {
        "Status": "FAILED",
        "RelatedRequirements": ["CIS-1.5 2.1.5", "HIPAA a_1 a_2", "odd"],
    }
    finding = asff.to_finding(record)
    assert (finding.check_id, finding.service) == ("s3_bucket_public_access", "s3")
    assert finding.compliance == {"CIS-1.5": ("2.1.5",), "HIPAA": ("a_1", "a_2")}
    assert finding.evidence == "Checks the block. Also: arn:aws:s3:::bonn"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("compliance.status_id", 1, {"status": "PASS"}),
        ("compliance.status_id", 2, {"status": "FAIL"}),
        ("compliance", {"status": "Other", "status_id": 99}, {"status": "MANUAL"}),
        ("compliance", {}, {"status": "MANUAL"}),
        ("status_id", 3, {"muted": True}),
        ("resources.0.type", "AWS::::Account", {"resource_type": "AwsAccount"}),
        (
            "resources.0.type",
            "AWS::EC2::SecurityGroup",
            {"resource_type": "AwsEc2SecurityGroup", "category": "Network"},
        ),
        ("resources.0.type", "Container", {"resource_type": "Container"}),
    ],
)
def test_security_hub_field_by_field(path: str, value: object, expected: dict[str, object]) -> None:
    finding = securityhub.to_finding(changed(SECURITY_HUB_FINDING, path, value))
    assert {name: getattr(finding, name) for name in expected} == expected


@pytest.mark.parametrize(("status_id", "status"), [(1, "FAIL"), (4, "PASS")])
def test_a_detection_is_open_until_it_is_resolved(status_id: int, status: str) -> None:
    record = changed(SECURITY_HUB_FINDING, "compliance", ...) | {"class_uid": 2004, "status_id": status_id}
    record["finding_info"]["types"] = ["Threats", "Execution:Runtime/New"]
    finding = securityhub.to_finding(record)
    assert (finding.status, finding.check_id, finding.service) == (status, "Execution:Runtime/New", "s3")


def test_another_class_of_ocsf_is_rejected_alone() -> None:
    items = read_all([SECURITY_HUB_FINDING, SECURITY_HUB_FINDING | {"class_uid": 2002}])
    assert items[1] == Rejected(
        2, "OCSF class '2002' is not read, only 2003 (compliance) and 2004 (detection)"
    )


def test_prowler_3_json() -> None:
    finding = only(KNOWN["Prowler 3 JSON"].content)
    assert (finding.id, finding.check_id, finding.status) == (
        "prowler-aws-s3-1",
        "s3_bucket_public_access",
        "FAIL",
    )
    assert (finding.resource, finding.account_id, finding.region) == (
        "arn:aws:s3:::koeln",
        "210987654321",
        "eu-central-1",
    )
    assert (finding.evidence, finding.remediation, finding.reference_url) == (
        "koeln is open.",
        "Block it.",
        "https://docs.example.com",
    )
    assert (finding.compliance, finding.provider, finding.category) == (
        {"CIS-1.5": ("2.1.5",)},
        "aws",
        "Storage",
    )


def test_scoutsuite_gives_a_finding_for_each_flagged_resource() -> None:
    first, second = read_all(KNOWN["ScoutSuite"].content)
    assert isinstance(first, Finding)
    assert isinstance(second, Finding)
    assert (first.resource, second.resource) == ("arn:aws:ec2:eu-west-1:210987654321:x/sg-1", "sg-2")
    assert {first.check_id, second.check_id} == {"ec2-security-group-opens-all"}
    assert (first.severity, first.status, first.category) == ("HIGH", "FAIL", "Compute")
    assert (first.account_id, first.region, first.provider) == ("210987654321", "eu-west-1", "aws")
    assert first.compliance == {"CIS Amazon Web Services Foundations 1.2.0": ("5.2",)}
    assert (first.remediation, first.observed_at) == ("Close it.", OBSERVED)
    assert first.fingerprint != second.fingerprint


def test_scoutsuite_without_the_assignment_is_read_too() -> None:
    assert len(read_all(SCOUTSUITE_RESULTS)) == 2


def test_a_place_that_scoutsuite_does_not_describe_stands_for_itself() -> None:
    document = deepcopy(SCOUTSUITE_RESULTS)
    document["services"]["ec2"].pop("regions")  # type: ignore[index]
    finding = read_all(document)[0]
    assert isinstance(finding, Finding)
    assert finding.resource == "ec2.regions.eu-west-1.vpcs.vpc-1.security_groups.sg-1.rules.ingress"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("OK", ("PASS", "INFO")),
        ("WARN", ("FAIL", "MEDIUM")),
        ("fail", ("FAIL", "HIGH")),
        ("UNKNOWN", ("MANUAL", "INFO")),
    ],
)
def test_cloudsploits_verdicts(status: str, expected: tuple[str, str]) -> None:
    finding = cloudsploit.to_finding(CLOUDSPLOIT_FINDING | {"status": status})
    assert (finding.status, finding.severity) == expected


def test_cloudsploit_says_where_by_the_resource_or_not_at_all() -> None:
    named = cloudsploit.to_finding(CLOUDSPLOIT_FINDING)
    assert (named.provider, named.account_id, named.region) == ("aws", "210987654321", "eu-west-1")
    unnamed = cloudsploit.to_finding(CLOUDSPLOIT_FINDING | {"resource": "N/A", "region": ["global"]})
    assert (unnamed.resource, unnamed.provider, unnamed.region) == ("", "", "global")


def test_a_status_that_cloudsploit_does_not_have_is_rejected_with_its_place() -> None:
    items = read_all([CLOUDSPLOIT_FINDING, CLOUDSPLOIT_FINDING | {"status": "ODD"}])
    assert items[1] == Rejected(2, "'ODD' is no status of CloudSploit (OK, WARN, FAIL, UNKNOWN)")


def test_the_id_that_we_give_stays() -> None:
    again = cloudsploit.to_finding(CLOUDSPLOIT_FINDING | {"message": "other words", "status": "OK"})
    assert again.id == cloudsploit.to_finding(CLOUDSPLOIT_FINDING).id


def sarif(path: str, value: object) -> dict[str, Any]:
    return changed(SARIF_RUNS, path, value)


def test_a_sarif_result_and_its_rule() -> None:
    finding = only(SARIF_RUNS)
    assert (finding.check_id, finding.title) == ("s3_bucket_public_access", "Bucket must not be open")
    assert (finding.severity, finding.status, finding.muted) == ("CRITICAL", "FAIL", False)
    assert (finding.resource, finding.provider, finding.account_id) == (
        "arn:aws:s3:::koeln",
        "aws",
        "210987654321",
    )
    assert (finding.description, finding.remediation) == ("No bucket may be open.", "Block it.")
    assert (finding.evidence, finding.region, finding.service) == ("koeln is open.", "eu-west-1", "s3")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("runs.0.results.0.kind", "pass", {"status": "PASS"}),
        ("runs.0.results.0.kind", "review", {"status": "MANUAL"}),
        ("runs.0.results.0.baselineState", "absent", {"status": "PASS"}),
        ("runs.0.results.0.suppressions", [{"kind": "external"}], {"muted": True}),
        ("runs.0.results.0.suppressions", [{"kind": "external", "status": "rejected"}], {"muted": False}),
        ("runs.0.results.0.properties.severity", "low", {"severity": "LOW"}),
        ("runs.0.tool.driver.rules.0.properties", {}, {"severity": "MEDIUM"}),
        ("runs.0.results.0.locations", None, {"resource": ""}),
        ("runs.0.results.0.ruleIndex", 7, {"check_id": "", "title": "koeln is open."}),
        ("runs.0.results.0.ruleIndex", -1, {"check_id": ""}),
        ("runs.0.results.0.ruleId", "not there", {"check_id": "not there", "title": "not there"}),
    ],
)
def test_sarif_field_by_field(path: str, value: object, expected: dict[str, object]) -> None:
    finding = only(sarif(path, value))
    assert {name: getattr(finding, name) for name in expected} == expected


def test_each_run_has_rules_of_its_own() -> None:
    run = SARIF_RUNS["runs"][0]  # type: ignore[index]
    other = changed(run, "tool.driver.rules.0.id", "another")  # type: ignore[arg-type]
    items = read_all({"version": "2.1.0", "runs": [run, {"results": [], "tool": {}}, other]})
    assert [item.check_id for item in items if isinstance(item, Finding)] == [
        "s3_bucket_public_access",
        "another",
    ]


def test_a_file_in_sarif_is_named_by_its_address() -> None:
    location = {
        "physicalLocation": {"artifactLocation": {"uri": "src/a%20b.tf"}},
        "logicalLocations": [{"fullyQualifiedName": "module.main", "kind": "module"}],
    }
    assert only(sarif("runs.0.results.0.locations", [location])).resource == "src/a b.tf"
