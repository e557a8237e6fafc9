"""The specification's `AWSAuditReport`: its names, what it makes of what it is told, and what it refuses."""

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from audit import AWSAuditReport
from audit.aws import DEFAULT_PATH
from audit.compliance import OUR_CONTROLS, OUR_FRAMEWORKS
from audit.errors import ConfigError, InputError
from tests.conftest import ACCOUNT, NOW

OLD = (NOW - timedelta(days=120)).isoformat()
FRESH = (NOW - timedelta(days=3)).isoformat()
IAM: dict[str, Any] = {
    "root": {"mfa_active": False, "access_keys": 0},
    "users": [
        {
            "name": "alice",
            "password_enabled": True,
            "mfa_active": False,
            "password_last_used": FRESH,
            "access_keys": [{"id": "AKIAOLD", "active": True, "created": OLD, "last_used": FRESH}],
        },
        {"name": "robot", "password_enabled": False, "mfa_active": False, "access_keys": []},
    ],
    "password_policy": {"minimum_length": 14, "remembered_passwords": 5},
}
STORAGE: dict[str, Any] = {
    "account_public_access_block": None,
    "buckets": [
        {
            "name": "open",
            "region": "eu-west-1",
            "public_access_block": None,
            "policy_is_public": True,
            "acl_is_public": False,
            "versioning": "Enabled",
        }
    ],
}


def report(**arguments: Any) -> AWSAuditReport:
    return AWSAuditReport(ACCOUNT, clock=lambda: NOW, **arguments)


def failing(data: Any) -> set[tuple[str, str]]:
    return {(f["check_id"], f["resource"]) for f in data["findings"] if f["status"] == "FAIL"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("add_iam_analysis", ["iam_data"]),
        ("add_storage_analysis", ["storage_data"]),
        ("enable_compliance_mapping", []),
        ("generate_pdf", ["output_path"]),
    ],
)
def test_each_method_of_the_guide_is_there(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(AWSAuditReport, name)).parameters)[1:] == parameters


def test_what_is_told_is_checked_and_nothing_else() -> None:
    made = report()
    made.add_iam_analysis(IAM)
    made.add_storage_analysis(STORAGE)
    data = made.generate_pdf()
    policy, alice = f"arn:aws:iam::{ACCOUNT}:password-policy", f"arn:aws:iam::{ACCOUNT}:user/alice"
    letters = {f"iam_password_policy_{what}" for what in ("uppercase", "lowercase", "number", "symbol")}
    assert failing(data) == {
        ("iam_root_mfa_enabled", f"arn:aws:iam::{ACCOUNT}:root"),
        ("iam_user_mfa_enabled_console_access", alice),
        ("iam_rotate_access_key_90_days", alice),
        ("iam_password_policy_reuse_24", policy),
        ("s3_account_level_public_access_blocks", ACCOUNT),
        ("s3_bucket_public_access", "arn:aws:s3:::open"),
        ("s3_bucket_level_public_access_block", "arn:aws:s3:::open"),
        *((check, policy) for check in letters),
    }
    checked = {finding["check_id"] for finding in data["findings"]}
    assert "s3_bucket_object_versioning" in checked
    assert not checked & {"s3_bucket_default_encryption", "iam_avoid_root_usage"}, (
        "nobody told us about these"
    )
    assert data["summary"]["account_id"] == ACCOUNT


def test_the_accounts_block_covers_a_bucket_without_one() -> None:
    made = report()
    switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    made.add_storage_analysis({**STORAGE, "account_public_access_block": dict.fromkeys(switches, True)})
    assert failing(made.generate_pdf()) == set()


def test_controls_are_named_once_asked_for() -> None:
    made = report()
    made.add_storage_analysis(STORAGE)
    plain = made.generate_pdf()
    assert plain["compliance"] == {}
    assert all("compliance" not in finding for finding in plain["findings"])
    made.enable_compliance_mapping()
    matrix = made.generate_pdf()["compliance"]
    assert matrix["CIS v8"] == {
        "coverage": 50.0,  # 3.3 fails, 11.2 does not
        "controls_covered": 1,
        "total_controls": 2,
        "status": "REVIEW",
        "gaps": 1,
    }
    assert matrix["PCI DSS"]["gaps"] == 3
    assert matrix["CIS-3.0"]["status"] == "FAIL"


def test_the_table_names_only_checks_that_exist() -> None:
    from audit.collect.iam_checks import ROOT_CHECKS, USER_CHECKS
    from audit.collect.password_checks import PASSWORD_CHECKS
    from audit.collect.place_checks import ACCOUNT_TRAIL_CHECKS, EBS_CHECKS, GROUP_CHECKS, TRAIL_CHECKS
    from audit.collect.storage_checks import ACCOUNT_CHECKS, BUCKET_CHECKS

    several = (ROOT_CHECKS, USER_CHECKS, PASSWORD_CHECKS, ACCOUNT_CHECKS, BUCKET_CHECKS, GROUP_CHECKS)
    several += (EBS_CHECKS, ACCOUNT_TRAIL_CHECKS, TRAIL_CHECKS)
    assert {check.check_id for checks in several for check in checks} == OUR_CONTROLS.keys()
    assert {name for controls in OUR_CONTROLS.values() for name in controls} == set(OUR_FRAMEWORKS)


def test_findings_of_somebody_elses_making_are_taken_as_they_are() -> None:
    made = report()
    own = {"id": "F-1", "title": "Weak", "severity": "LOW", "compliance": {"House": ["1"]}}
    made.add_iam_analysis({"findings": [own]})
    made.enable_compliance_mapping()
    data = made.generate_pdf()
    assert [finding["id"] for finding in data["findings"]] == ["F-1"]
    assert list(data["compliance"]) == ["House"]


def test_the_same_told_twice_is_one_finding() -> None:
    made = report()
    made.add_storage_analysis(STORAGE)
    once = made.generate_pdf()["findings"]
    made.add_storage_analysis(STORAGE)
    assert made.generate_pdf()["findings"] == once


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"user": []}, "user: not among"),
        ("text", "must be an object"),
        ({"users": [{"mfa_active": True}]}, "needs its name"),
        ({"root": {"mfa_active": True}, "users": [{"name": ""}]}, "needs its name"),
        (
            {"users": [{"name": "a", "password_enabled": "yes", "mfa_active": True}]},
            "password_enabled must be",
        ),
        ({"users": "alice"}, "users must be a list"),
        ({"root": {"last_used": "yesterday"}}, "last_used must be an ISO 8601 time"),
        ({"root": {"access_keys": "none"}}, "access_keys must be a whole number"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_adds_nothing(data: Any, says: str) -> None:
    made = report()
    with pytest.raises(InputError, match=says):
        made.add_iam_analysis(data)
    assert made.generate_pdf()["findings"] == []


@pytest.mark.parametrize("account", ["", "12345", "\uff11" * 12, "arn:aws:iam::123456789012:root"])
def test_an_account_is_twelve_digits(account: str) -> None:
    with pytest.raises(InputError, match="12 digits"):
        AWSAuditReport(account)


def test_the_renderer_gets_the_very_data_and_the_path() -> None:
    drawn: list[tuple[Any, str]] = []
    made = report(renderer=lambda data, path: drawn.append((data, path)))
    made.add_iam_analysis(IAM)
    data = made.generate_pdf()
    assert drawn == [(data, DEFAULT_PATH)]
    made.generate_pdf("elsewhere.pdf")
    assert drawn[-1][1] == "elsewhere.pdf"


def test_a_path_without_a_renderer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no renderer"):
        report().generate_pdf(str(tmp_path / "audit.pdf"))
