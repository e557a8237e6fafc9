"""A fix for another account acts there, and nowhere else. On moto's server, which keeps accounts apart."""

import uuid
from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.clouds import Clouds
from remediation.actions.contract import Action
from remediation.actions.registry import ActionRegistry, Step
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.conftest import ACCOUNT
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.fakes.aws_actions import EncryptDisks, JoinGroup

OTHER = "222233334444"
ROLE = f"arn:aws:iam::{OTHER}:role/countersign"
ALL_ON = dict.fromkeys(S3PublicAccessCase.flags, True)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, moto_endpoint: str) -> Boto3Clients:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    template = AwsRole(arn="arn:aws:iam::{account_id}:role/countersign", external_id=SecretStr("northwind-7"))
    return Boto3Clients(accounts=AwsAccounts(overrides={OTHER: template}))


def as_other(service: str, endpoint: str) -> Any:
    """Return a client of somebody who works in the other account."""
    sts = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1")
    keys = sts.assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def as_us(service: str, endpoint: str) -> Any:
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1")


def block_of(client: Any, name: str) -> object:
    try:
        return client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def step_of(action: Action[Any]) -> Step:
    return Step(PlaybookAction("step", "aws", {}), action, action.params_model())


def test_a_bucket_of_another_account_is_closed_there(clients: Boto3Clients, moto_endpoint: str) -> None:
    theirs, name = as_other("s3", moto_endpoint), f"theirs-{uuid.uuid4().hex[:12]}"
    theirs.create_bucket(Bucket=name)
    before = block_of(theirs, name)
    step = ActionRegistry.standard(Clouds(aws=clients)).resolve(S3PublicAccessCase.written)
    target = Target(provider="aws", resource=f"arn:aws:s3:::{name}", account_id=OTHER, region="us-east-1")
    plan = step.plan(target)
    step.action.apply(plan)
    step.action.verify(plan)
    assert block_of(theirs, name) == ALL_ON
    assert name not in {one["Name"] for one in as_us("s3", moto_endpoint).list_buckets()["Buckets"]}
    step.action.rollback(plan)
    assert block_of(theirs, name) == before


@pytest.mark.parametrize(("account", "expected"), [(OTHER, (False, True)), (ACCOUNT, (True, False))])
def test_a_setting_of_a_whole_account_changes_in_that_account_alone(
    clients: Boto3Clients, moto_endpoint: str, account: str, expected: tuple[bool, bool]
) -> None:
    ours, theirs = as_us("ec2", moto_endpoint), as_other("ec2", moto_endpoint)
    for ec2 in (ours, theirs):
        ec2.disable_ebs_encryption_by_default()
    step = step_of(EncryptDisks(clients))
    plan = step.plan(
        Target(
            provider="aws",
            resource=f"arn:aws:ec2:us-east-1:{account}:account",
            account_id=account,
            region="us-east-1",
        )
    )
    step.action.apply(plan)
    seen = tuple(ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] for ec2 in (ours, theirs))
    assert seen == expected
    step.action.rollback(plan)


def test_a_user_of_the_same_name_in_our_own_account_is_left_alone(
    clients: Boto3Clients, moto_endpoint: str
) -> None:
    ours, theirs = as_us("iam", moto_endpoint), as_other("iam", moto_endpoint)
    name = f"ana-{uuid.uuid4().hex[:8]}"
    for iam in (ours, theirs):
        iam.create_user(UserName=name)
        if JoinGroup.group not in {group["GroupName"] for group in iam.list_groups()["Groups"]}:
            iam.create_group(GroupName=JoinGroup.group)
    step = step_of(JoinGroup(clients))
    plan = step.plan(Target(provider="aws", resource=f"arn:aws:iam::{OTHER}:user/{name}", account_id=OTHER))
    step.action.apply(plan)
    assert [len(iam.list_groups_for_user(UserName=name)["Groups"]) for iam in (ours, theirs)] == [0, 1]
