"""Which playbook answers a finding: the surest sign decides, and where there is none, nothing is guessed."""

from dataclasses import replace

import pytest

from audit.errors import InputError, NotFoundError
from audit.findings import Finding, Severity
from remediation import PlaybookLibrary, RemediationPlaybook, find_playbook_for_finding
from remediation.matching import controls_for, match_playbook
from remediation.playbook import CLOUDS

FINDING = Finding(id="F-1", title="Public", severity=Severity.HIGH, category="Storage")


def book(playbook_id: str, **signs: list[str]) -> RemediationPlaybook:
    made = RemediationPlaybook(playbook_id, "Fix it", "Fixes it.", "Storage", "HIGH")
    made.checks = signs.get("checks", [])
    made.controls = signs.get("controls", [])
    made.resource_types = signs.get("resource_types", [])
    return made


BOOKS = {
    made.playbook_id: made
    for made in (
        book("BY-KIND", resource_types=["AwsS3Bucket"]),
        book("BY-CONTROL", controls=["CIS-3.0:2.1.4"]),
        book("BY-CHECK", checks=["s3_bucket_public_access"]),
    )
}


@pytest.mark.parametrize(
    ("changes", "expected", "why"),
    [
        ({"check_id": "S3_Bucket_Public_Access"}, "BY-CHECK", "the check S3_Bucket_Public_Access"),
        ({"compliance": {"cis-3.0": ("1.1", "2.1.4")}}, "BY-CONTROL", "the control CIS-3.0:2.1.4"),
        ({"resource_type": "AwsS3Bucket"}, "BY-KIND", "Storage findings on AwsS3Bucket"),
        (
            {
                "check_id": "s3_bucket_public_access",
                "compliance": {"CIS-3.0": ("2.1.4",)},
                "resource_type": "AwsS3Bucket",
            },
            "BY-CHECK",
            "the check",
        ),
    ],
)
def test_the_surest_sign_decides(changes: dict[str, object], expected: str, why: str) -> None:
    match = match_playbook(replace(FINDING, **changes), BOOKS)  # type: ignore[arg-type]
    assert match.playbook.playbook_id == expected
    assert why in match.why


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"check_id": "s3_bucket_public"},
        {"compliance": {"CIS-2.0": ("2.1.4",)}},
        {"resource_type": "AwsS3Bucket", "category": "Network"},
    ],
)
def test_nothing_is_guessed(changes: dict[str, object]) -> None:
    with pytest.raises(NotFoundError, match="No playbook answers f-"):
        match_playbook(replace(FINDING, **changes), BOOKS)  # type: ignore[arg-type]


def test_the_specifications_way_to_call_it() -> None:
    finding = {"id": "1", "title": "Public", "severity": "CRITICAL", "check_id": "s3_bucket_public_access"}
    assert (
        PlaybookLibrary.get_all_playbooks()[find_playbook_for_finding(finding)].name == "Fix Public S3 Bucket"
    )
    with pytest.raises(InputError):
        find_playbook_for_finding({"title": "no id"})


def test_no_two_playbooks_of_the_library_claim_the_same_sign() -> None:
    books = PlaybookLibrary.get_all_playbooks().values()
    checks = [check for made in books for check in made.checks]
    assert len(checks) == len(set(checks))
    controls = [
        (cloud, control)
        for made in books
        for cloud in {step.action_type for step in made.actions} & CLOUDS or CLOUDS
        for control in controls_for(made, cloud)
    ]
    assert len(controls) == len(set(controls))


def test_a_control_may_name_the_cloud_that_it_is_meant_for() -> None:
    made = book("BOTH", controls=["aws/CIS-3.0:3.7", "gcp/CIS-3.0:3.8", "ISO/IEC-27001:A.5"])
    stated = {cloud: list(controls_for(made, cloud)) for cloud in ("aws", "gcp", "")}
    assert stated == {
        "aws": ["CIS-3.0:3.7", "ISO/IEC-27001:A.5"],
        "gcp": ["CIS-3.0:3.8", "ISO/IEC-27001:A.5"],
        "": ["ISO/IEC-27001:A.5"],
    }


@pytest.mark.parametrize(
    ("provider", "control", "expected"),
    [
        ("aws", "CIS-2.0:2.1.4", "AWS-PUBLIC-S3"),
        ("azure", "CIS-2.0:6.2", "AZURE-NSG-RESTRICTION"),
        ("azure", "CIS-2.0:2.1.4", None),
        ("aws", "CIS-2.0:6.2", None),
    ],
)
def test_a_control_means_its_own_clouds(provider: str, control: str, expected: str | None) -> None:
    framework, _, number = control.partition(":")
    finding = replace(FINDING, provider=provider, compliance={framework: (number,)})
    books = {
        name: made
        for name, made in PlaybookLibrary.get_all_playbooks().items()
        if name in ("AWS-PUBLIC-S3", "AZURE-NSG-RESTRICTION")
    }
    if expected is None:
        with pytest.raises(NotFoundError):
            match_playbook(finding, books)
    else:
        assert match_playbook(finding, books).playbook.playbook_id == expected
