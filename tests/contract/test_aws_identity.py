"""What the MFA group refuses and shows, and who is no user of the account."""

import json
from typing import Any

import pytest

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.iam_groups import denies_without_mfa
from remediation.plan import Target
from tests.contract.cases.aws_identity import DENY, GROUP, MfaGroupCase, RotateKeyCase, UserCase
from tests.contract.cases.aws_logging import written
from tests.contract.cases.aws_services import ACCOUNT, MotoClients
from tests.contract.plans import plan_of, refusal

pytestmark = pytest.mark.slow

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.parametrize("step", [MfaGroupCase.written, RotateKeyCase.written])
@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (ROOT, "root user of 123456789012 cannot be changed .* By hand: sign in as root"),
        ("arn:aws:iam::123456789012:role/r", "not an IAM user"),
        ("arn:aws:s3:::acme", "not an IAM user"),
        ("ana", "not an IAM user"),
        ("", "not an IAM user"),
        ("arn:aws:iam::999999999999:user/ana", "names account 123456789012, but"),
    ],
)
def test_what_is_no_user_of_the_account_is_refused_before_any_call(
    step: Any, resource: str, says: str
) -> None:
    target = Target(provider="aws", resource=resource, account_id=ACCOUNT, region="us-east-1")
    with pytest.raises(PermanentActionError, match=says):
        MotoClients("http://127.0.0.1:1").registry().resolve(step).plan(target)


@pytest.mark.parametrize("kind", [MfaGroupCase, RotateKeyCase])
def test_a_namesake_in_the_credentials_account_is_not_the_user(
    moto_endpoint: str, kind: type[UserCase]
) -> None:
    case = kind(moto_endpoint)
    stranger = Target(provider="aws", resource=case.arn.replace(ACCOUNT, "999999999999"))
    assert refusal(case, stranger).cause is Cause.WRONG_ACCOUNT


def test_the_plan_shows_what_a_deny_without_mfa_breaks(moto_endpoint: str) -> None:
    case = MfaGroupCase(moto_endpoint)
    notes = plan_of(case).notes
    assert any(note.startswith("No MFA device") for note in notes)
    assert "Console password: no; this user signs in with keys only" in notes

    case.iam.create_login_profile(UserName=case.user, Password="Dummy-pass-1!")
    serial = case.iam.create_virtual_mfa_device(VirtualMFADeviceName=case.user)["VirtualMFADevice"][
        "SerialNumber"
    ]
    case.iam.enable_mfa_device(
        UserName=case.user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    active, inactive = (
        case.iam.create_access_key(UserName=case.user)["AccessKey"]["AccessKeyId"] for _ in range(2)
    )
    case.iam.update_access_key(UserName=case.user, AccessKeyId=inactive, Status="Inactive")
    plan = plan_of(case)
    assert f"MFA devices: {serial}" in plan.notes
    assert "Console password: yes" in plan.notes
    keys = [note for note in plan.notes if "ACCESS KEY" in note]
    assert keys == [
        f"ACTIVE ACCESS KEY {active}, never used, as far as AWS knows: programs that use it without MFA WILL BREAK"
    ]
    assert any("deny" in text for text in plan.untouched)


def test_a_group_that_denies_nothing_without_mfa_is_refused(moto_endpoint: str) -> None:
    case = MfaGroupCase(moto_endpoint)
    case.written = written("iam", "add-user-to-group", {"GroupName": "other"})
    assert "would enforce nothing" in str(refusal(case))
    arn = case.iam.create_policy(PolicyName=case.user, PolicyDocument=json.dumps(DENY))["Policy"]["Arn"]
    case.iam.attach_group_policy(GroupName="other", PolicyArn=arn)
    assert plan_of(case).is_needed
    case.iam.detach_group_policy(GroupName="other", PolicyArn=arn)


def test_a_group_that_is_not_there_is_explained(moto_endpoint: str) -> None:
    case = MfaGroupCase(moto_endpoint)
    case.written = written("iam", "add-user-to-group", {"GroupName": "never-made"})
    error = refusal(case)
    assert error.cause is Cause.NOT_FOUND
    assert "never-made" in str(error)


def test_credentials_may_change_the_members_of_the_one_group_only(moto_endpoint: str) -> None:
    case = MfaGroupCase(moto_endpoint)
    plan = plan_of(case)
    type(case.action()[0])(case.clients).apply(plan)
    allowed = dict(case.clients.asked[-1][2].allowed)
    assert allowed["iam:AddUserToGroup"] == f"arn:aws:iam::{ACCOUNT}:group/{GROUP}"
    assert "iam:PutUserPolicy" not in allowed


def deny(**change: object) -> dict[str, object]:
    return {"Statement": DENY["Statement"][0] | change}  # type: ignore[index,operator]


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (DENY, True),
        (deny(), True),
        (deny(Condition={"Bool": {"AWS:MultiFactorAuthPresent": [False]}}), True),
        (deny(Effect="Allow"), False),
        (deny(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), False),
        (deny(Condition={"Null": {"aws:MultiFactorAuthPresent": "false"}}), False),
        (deny(Condition=None), False),
        (None, False),
        ({"Statement": "odd"}, False),
    ],
)
def test_which_policies_deny_without_mfa(document: object, answer: bool) -> None:
    assert denies_without_mfa(document) is answer
