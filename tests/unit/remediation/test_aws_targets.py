"""What an AWS action is pointed at: the wrong thing is refused with one clear line, before any call."""

from typing import Any

import pytest

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.clients import Access
from remediation.actions.contract import Draft, Phase
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.cases.contract import OneClient, aws_registry

ACCOUNT = "s3control:put-public-access-block"
DEFAULT = "ec2:enable-ebs-encryption-by-default"
COPY = "ec2:prepare-encrypted-copy"
GROUP = "ec2:revoke-security-group-ingress"
SG = "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0123456789abcdef0"
VOLUME = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0"


class Reached(Exception):
    """A call was about to be made."""


class Untouchable:
    """A client that no test here may get to use."""

    def __getattr__(self, name: str) -> object:
        raise Reached


def plan(key: str, resource: str, **told: str) -> Draft:
    service, _, action = key.partition(":")
    step = aws_registry(OneClient(Untouchable())).resolve(
        PlaybookAction("step", "aws", {"service": service, "action": action})
    )
    target = Target(**{"provider": "aws", "resource": resource, "region": "eu-west-1", **told})
    return step.action.plan(target, step.params)


@pytest.mark.parametrize("key", [ACCOUNT, DEFAULT, COPY, GROUP])
@pytest.mark.parametrize(
    "resource",
    [
        "",
        "x" * 500,
        "arn:aws:s3:::bucket",
        "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
        "arn:aws:s3:eu-west-1:123456789012:account/more",
        "arn:aws:iam::123456789012:user/root",
        "12345678901",
        "sg-xyz",
        "vol-0123456789abcdef0 OR 1",
    ],
)
def test_the_wrong_kind_of_resource_is_refused(key: str, resource: str) -> None:
    with pytest.raises(PermanentActionError, match=r"is (not|neither) an? ") as caught:
        plan(key, resource)
    assert caught.value.cause is Cause.INVALID
    assert len(caught.value.explain()) < 400


@pytest.mark.parametrize(
    ("key", "resource"),
    [(ACCOUNT, "123456789012"), (DEFAULT, "123456789012"), (COPY, VOLUME), (GROUP, SG)],
)
def test_another_cloud_account_or_region_than_the_finding_says_is_refused(key: str, resource: str) -> None:
    with pytest.raises(PermanentActionError, match="is on gcp, not on AWS"):
        plan(key, resource, provider="gcp")
    with pytest.raises(PermanentActionError, match="finding says 999999999999") as caught:
        plan(key, resource, account_id="999999999999")
    assert caught.value.cause is Cause.WRONG_ACCOUNT
    if resource.startswith("arn:"):
        with pytest.raises(PermanentActionError, match="finding says us-east-2") as caught:
            plan(key, resource, region="us-east-2")
        assert caught.value.cause is Cause.WRONG_REGION


@pytest.mark.parametrize(
    ("key", "resource"),
    [(DEFAULT, "123456789012"), (COPY, "vol-0123456789abcdef0"), (GROUP, "sg-0123456789abcdef0")],
)
@pytest.mark.parametrize("region", ["", "global", "*"])
def test_without_a_region_nothing_is_asked(key: str, resource: str, region: str) -> None:
    with pytest.raises(PermanentActionError, match="names no region"):
        plan(key, resource, region=region)


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        (ACCOUNT, "123456789012"),
        (ACCOUNT, "AWS::::Account:123456789012"),
        (ACCOUNT, "arn:aws:s3:eu-west-1:123456789012:account"),
        (ACCOUNT, "arn:aws-us-gov:iam::123456789012:root"),
        (DEFAULT, "arn:aws:ec2:eu-west-1:123456789012:volume"),
        (DEFAULT, VOLUME),
        (DEFAULT, "AWS::::Account:123456789012"),
        (COPY, VOLUME),
        (COPY, "vol-0123456789abcdef0"),
        (GROUP, SG),
        (GROUP, "sg-12345678"),
    ],
)
def test_every_name_that_scanners_use_is_understood(key: str, resource: str) -> None:
    with pytest.raises(Reached):
        plan(key, resource)
    with pytest.raises(Reached):
        plan(key, resource, account_id="123456789012")


def test_the_setting_of_an_account_is_asked_for_in_its_own_partition() -> None:
    from remediation.actions.aws.account_public_access import account_of

    def region(resource: str, stated: str = "") -> str:
        return account_of(Target(provider="aws", resource=resource, region=stated)).region

    assert region("123456789012") == "us-east-1"
    assert region("arn:aws-us-gov:iam::123456789012:root") == "us-gov-west-1"
    assert region("arn:aws-cn:iam::123456789012:root", "cn-northwest-1") == "cn-northwest-1"
    assert region("arn:aws:s3:eu-west-1:123456789012:account") == "eu-west-1"
    assert region("arn:aws:s3:eu-west-1:123456789012:account", "us-east-1") == "us-east-1"


RULES = "arn:aws:ec2:eu-west-1:123456789012:security-group-rule/*"
VOLUMES, SNAPSHOTS = "arn:aws:ec2:eu-west-1:123456789012:volume/*", "arn:aws:ec2:eu-west-1::snapshot/*"


def test_credentials_reach_one_group_and_one_region_for_what_has_no_id_yet() -> None:
    assert allowed(GROUP, SG, "rollback") == {
        "ec2:DescribeSecurityGroups": {"*"},
        "ec2:DescribeSecurityGroupRules": {"*"},
        "ec2:DescribeNetworkInterfaces": {"*"},
        "ec2:RevokeSecurityGroupIngress": {SG},
        "ec2:AuthorizeSecurityGroupIngress": {SG, RULES},
        "ec2:CreateTags": {RULES},
    }
    copying = allowed(COPY, VOLUME, "apply")
    assert {name: arns for name, arns in copying.items() if name.startswith("ec2:")} == {
        "ec2:DescribeVolumes": {"*"},
        "ec2:DescribeSnapshots": {"*"},
        "ec2:CreateSnapshot": {VOLUME, SNAPSHOTS},
        "ec2:CopySnapshot": {SNAPSHOTS},
        "ec2:CreateVolume": {VOLUMES, SNAPSHOTS},
        "ec2:CreateTags": {VOLUMES, SNAPSHOTS},
    }
    assert copying["kms:CreateGrant"] == {"arn:aws:kms:eu-west-1:*:key/*"}
    assert allowed(COPY, VOLUME, "rollback")["ec2:DeleteSnapshot"] == {SNAPSHOTS}


def allowed(key: str, resource: str, phase: Phase) -> dict[str, set[str]]:
    """Return what the client of a phase is asked for with."""
    asked: list[Access] = []

    class Asked(OneClient):
        def client(self, service: str, *, region: str, access: Access) -> object:
            asked.append(access)
            return None

    action: Any = next(action for action in aws_registry(Asked(None)).actions() if action.key == key)
    target = Target(provider="aws", resource=resource, account_id="123456789012", region="eu-west-1")
    action.client("ec2", target, phase)
    reach: dict[str, set[str]] = {}
    for name, arn in asked[0].allowed:
        reach.setdefault(name, set()).add(arn)
    return reach
