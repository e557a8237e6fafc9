"""The AWS playbooks of the library from the request to the rollback, on moto's server."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audit.errors import InputError, RefusedError
from audit.findings import Finding, Severity
from remediation import PlaybookExecutor, PlaybookLibrary, PlaybookStatus, find_playbook_for_finding
from tests.contract.cases.aws_account_public_access import AccountPublicAccessCase
from tests.contract.cases.aws_ebs import EbsDefaultEncryptionCase, EncryptedCopyCase
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.contract.cases.aws_security_group import V4, SecurityGroupCase, allow
from tests.contract.cases.contract import ActionCase

ANALYST, MANAGER = "analyst@company.com", "manager@company.com"
SG_CHECK = "ec2_securitygroup_allow_ingress_from_internet_to_"
PLAYBOOKS: dict[str, tuple[type[ActionCase], str, str, str]] = {
    "bucket": (
        S3PublicAccessCase,
        "AWS-PUBLIC-S3",
        "s3_bucket_level_public_access_block",
        "block_public_access",
    ),
    "account": (
        AccountPublicAccessCase,
        "AWS-PUBLIC-S3",
        "s3_account_level_public_access_blocks",
        "block_public_access_of_account",
    ),
    "volumes": (
        EbsDefaultEncryptionCase,
        "AWS-EBS-ENCRYPTION",
        "ec2_ebs_default_encryption",
        "encrypt_new_volumes",
    ),
    "ssh": (SecurityGroupCase, "AWS-SG-RESTRICTION", f"{SG_CHECK}tcp_port_22", "close_ssh"),
    "all ports": (SecurityGroupCase, "AWS-SG-RESTRICTION", f"{SG_CHECK}all_ports", "close_remote_access"),
}


class Stage:
    """One finding about one resource that really is as the finding says."""

    def __init__(
        self, kind: type[ActionCase], playbook: str, check: str, request: pytest.FixtureRequest
    ) -> None:
        self.case = kind.prepare(request)
        self.case.set_state(self.case.unsettled)
        self.original = self.case.read_raw()
        self.playbook = PlaybookLibrary.get_all_playbooks()[playbook]
        self.executor = PlaybookExecutor(
            {name: request.getfixturevalue(name) for name in ("s3", "s3control", "ec2")}
        )
        target = self.case.target()
        self.finding = Finding(
            id=f"prowler-{check}",
            title="It is open",
            severity=Severity.HIGH,
            resource=target.resource,
            check_id=check,
            provider="aws",
            account_id=target.account_id,
            region=target.region,
        )

    def ask(self) -> str:
        asked = self.executor.execute_playbook(self.playbook, self.finding.to_dict(), ANALYST)
        assert asked.status is PlaybookStatus.PENDING, asked.error
        return asked.execution_id

    def status(self, execution_id: str) -> PlaybookStatus:
        return self.executor.get_execution(execution_id).status


@pytest.fixture(params=PLAYBOOKS.values(), ids=PLAYBOOKS.keys())
def stage(request: pytest.FixtureRequest) -> Stage:
    kind, playbook, check, _ = request.param
    return Stage(kind, playbook, check, request)


def test_fixed_by_two_people_and_put_back_exactly(stage: Stage) -> None:
    asked = stage.ask()
    assert stage.case.read_raw() == stage.original
    assert stage.executor.approve_execution(asked, MANAGER, dry_run=False)
    assert stage.status(asked) is PlaybookStatus.COMPLETED
    assert stage.case.read_raw() != stage.original
    again = stage.executor.execute_playbook(stage.playbook, stage.finding.to_dict(), ANALYST)
    assert again.plan is not None
    assert not again.plan.is_needed
    assert stage.executor.rollback_execution(asked)
    assert stage.status(asked) is PlaybookStatus.ROLLED_BACK
    assert stage.case.read_raw() == stage.original


def test_one_step_answers_and_the_playbook_is_found_by_the_check(request: pytest.FixtureRequest) -> None:
    for kind, playbook, check, step in PLAYBOOKS.values():
        stage = Stage(kind, playbook, check, request)
        plan = stage.executor.get_execution(stage.ask()).plan
        assert plan is not None
        assert [action.action_name for action in plan.actions] == [step]
        assert find_playbook_for_finding(stage.finding) == playbook


def drift_account(case: Any) -> None:
    case.set_state("all off")


def drift_default(case: Any) -> None:
    case.set_state("on")


def drift_group(case: Any) -> None:
    case.ec2.authorize_security_group_ingress(GroupId=case.group, **allow("tcp", 22, 22, "::/1"))
    case.ec2.authorize_security_group_ingress(GroupId=case.group, **allow("tcp", 0, 100, V4))


def drift_description(case: Any) -> None:
    told = allow("tcp", 22, 22, V4, "another purpose")["IpPermissions"]
    case.ec2.update_security_group_rule_descriptions_ingress(GroupId=case.group, IpPermissions=told)


@pytest.mark.parametrize(
    ("name", "drift"),
    [
        ("account", drift_account),
        ("volumes", drift_default),
        ("ssh", drift_group),
        ("ssh", drift_description),
    ],
)
def test_what_changed_since_the_plan_is_not_touched(
    name: str, drift: Callable[[Any], None], request: pytest.FixtureRequest
) -> None:
    kind, playbook, check, _ = PLAYBOOKS[name]
    stage = Stage(kind, playbook, check, request)
    asked = stage.ask()
    drift(stage.case)
    changed = stage.case.read_raw()
    assert not stage.executor.approve_execution(asked, MANAGER, dry_run=False)
    assert stage.status(asked) in {PlaybookStatus.PENDING, PlaybookStatus.COMPLETED}
    assert stage.case.read_raw() == changed


def test_what_changed_since_the_fix_is_not_overwritten(request: pytest.FixtureRequest) -> None:
    stage = Stage(*PLAYBOOKS["account"][:3], request)
    asked = stage.ask()
    stage.executor.approve_execution(asked, MANAGER, dry_run=False)
    stage.case.set_state("all off")
    with pytest.raises(RefusedError, match="Somebody changed"):
        stage.executor.rollback_execution(asked)
    assert stage.case.read_raw() == dict.fromkeys(S3PublicAccessCase.flags, False)


def test_whoever_turned_the_default_off_has_put_it_back(request: pytest.FixtureRequest) -> None:
    stage = Stage(*PLAYBOOKS["volumes"][:3], request)
    asked = stage.ask()
    stage.executor.approve_execution(asked, MANAGER, dry_run=False)
    stage.case.set_state("off")
    assert stage.executor.rollback_execution(asked)
    assert stage.case.read_raw() is False


def test_another_rule_that_somebody_added_is_no_obstacle_to_a_rollback(
    request: pytest.FixtureRequest,
) -> None:
    stage = Stage(SecurityGroupCase, "AWS-SG-RESTRICTION", f"{SG_CHECK}tcp_port_22", request)
    asked = stage.ask()
    stage.executor.approve_execution(asked, MANAGER, dry_run=False)
    case: Any = stage.case
    case.ec2.authorize_security_group_ingress(GroupId=case.group, **allow("tcp", 8443, 8443, "10.9.0.0/16"))
    assert stage.executor.rollback_execution(asked)
    restored = [rule for rule in stage.case.read_raw() if rule.get("CidrIpv4") != "10.9.0.0/16"]  # type: ignore[attr-defined]
    assert restored == stage.original


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ("123456789012", {}),
        ("AWS::::Account:123456789012", {"check_id": "S3.1"}),
        ("arn:aws:iam::123456789012:root", {"check_id": "other"}),
        ("arn:aws:s3:us-east-1:123456789012:account", {"check_id": ""}),
    ],
)
def test_findings_about_the_account_change_the_account(
    resource: str, told: dict[str, str], request: pytest.FixtureRequest
) -> None:
    stage = Stage(*PLAYBOOKS["account"][:3], request)
    stage.finding = replace(stage.finding, resource=resource, **told)
    plan = stage.executor.get_execution(stage.ask()).plan
    assert plan is not None
    assert [action.action for action in plan.actions] == ["aws:s3control:put-public-access-block"]
    assert plan.actions[0].target.account_id == "123456789012"


def test_a_bucket_under_the_accounts_check_is_refused(request: pytest.FixtureRequest) -> None:
    stage = Stage(*PLAYBOOKS["account"][:3], request)
    wrong = replace(stage.finding, resource="arn:aws:s3:::some-bucket")
    refused = stage.executor.execute_playbook(stage.playbook, wrong.to_dict(), ANALYST)
    assert refused.status is PlaybookStatus.FAILED
    assert "is not an AWS account" in str(refused.error)


@pytest.mark.parametrize(
    "check",
    [
        f"{SG_CHECK}any_port",
        "ec2_securitygroup_default_restrict_traffic",
        "EC2.18",
    ],
)
def test_a_group_with_another_problem_is_not_called_fixed(check: str, request: pytest.FixtureRequest) -> None:
    stage = Stage(*PLAYBOOKS["ssh"][:3], request)
    other = replace(stage.finding, check_id=check)
    with pytest.raises(InputError, match="no step of AWS-SG-RESTRICTION applies"):
        stage.executor.execute_playbook(stage.playbook, other.to_dict(), ANALYST)


def test_every_check_of_the_security_group_playbook_has_exactly_one_step() -> None:
    from remediation.conditions import Condition

    book = PlaybookLibrary.get_all_playbooks()["AWS-SG-RESTRICTION"]
    for check in (*book.checks, "", "openSSH"):
        finding = Finding(id="f", title="t", severity=Severity.HIGH, check_id=check)
        steps = [step for step in book.actions if Condition(step.condition or "").holds(finding)]
        assert len(steps) == 1, check
        ports = {*map(str, steps[0].params["params"]["ports"])}  # type: ignore[index]
        named = {word for word in check.split("_") if word.isdigit()}
        assert named <= ports, check


def test_a_playbook_of_ones_own_prepares_a_copy(request: pytest.FixtureRequest) -> None:
    stage = Stage(EncryptedCopyCase, "AWS-EBS-ENCRYPTION", "ec2_ebs_volume_encryption", request)
    book = PlaybookLibrary.get_all_playbooks()["AWS-EBS-ENCRYPTION"]
    stage.playbook = type(book)("OUR-COPY", "Copy", "Copies it.", "Compute", "HIGH")
    stage.playbook.add_action("copy", "aws", {"service": "ec2", "action": "prepare-encrypted-copy"})
    asked = stage.ask()
    assert stage.executor.approve_execution(asked, MANAGER, dry_run=False)
    assert stage.status(asked) is PlaybookStatus.COMPLETED
    assert stage.case.read_raw() != stage.original
    assert stage.executor.rollback_execution(asked)
    assert stage.case.read_raw() == stage.original
