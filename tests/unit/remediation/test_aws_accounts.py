"""Which role for which account, and what a session of it may do: exactly what the plan needs."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.partitions import account_of, home_region, known_region, partition, partition_of
from remediation.actions.aws.session_policy import LONGEST_POLICY, session_policy
from remediation.plan import Target

TEMPLATE = AwsRole(arn="arn:aws:iam::{account_id}:role/countersign", external_id=SecretStr("canary-external"))
OTHER = AwsRole(arn="arn:aws:iam::222233334444:role/ops/fixer")
ACCOUNTS = AwsAccounts(role=TEMPLATE, overrides={"222233334444": OTHER})


def test_the_template_is_filled_in_for_an_account() -> None:
    role = ACCOUNTS.role_for("111122223333")
    assert role == AwsRole(arn="arn:aws:iam::111122223333:role/countersign", external_id=TEMPLATE.external_id)
    assert ACCOUNTS.role_for("222233334444") == OTHER


def test_without_a_role_we_act_as_who_we_are() -> None:
    assert AwsAccounts().role_for("111122223333") is None
    assert AwsAccounts(overrides={"222233334444": OTHER}).role_for("111122223333") is None


@pytest.mark.parametrize(
    "account", ["", "12345678901", "1234567890123", "x" * 12, "\N{FULLWIDTH DIGIT ONE}" * 12, "12345678901\n"]
)
def test_what_is_no_account_id_gets_no_role(account: str) -> None:
    with pytest.raises(PermanentActionError, match="not an AWS account id") as caught:
        ACCOUNTS.role_for(account)
    assert caught.value.cause is Cause.WRONG_ACCOUNT


def test_a_role_of_another_account_is_refused() -> None:
    crossed = AwsAccounts(overrides={"111122223333": OTHER})
    with pytest.raises(PermanentActionError, match="not one of account 111122223333"):
        crossed.role_for("111122223333")


def test_the_external_id_does_not_show() -> None:
    assert "canary-external" not in repr(ACCOUNTS)


def pairs_of(text: str) -> set[tuple[str, str]]:
    """Return every pair that a policy allows."""

    def listed(value: object) -> list[str]:
        return value if isinstance(value, list) else [str(value)]

    return {
        pair
        for one in json.loads(text)["Statement"]
        if one["Effect"] == "Allow"
        for pair in product(listed(one["Action"]), listed(one["Resource"]))
    }


names = st.sampled_from(["s3:GetBucketAcl", "s3:PutBucketAcl", "iam:GetUser", "ec2:CreateTags"])
arns = st.sampled_from(["*", "arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:iam::1:user/u"])


@given(st.sets(st.tuples(names, arns), min_size=1))
def test_a_session_may_do_exactly_what_is_asked_for(allowed: set[tuple[str, str]]) -> None:
    text = session_policy(allowed)
    assert pairs_of(text) == allowed
    assert text == session_policy(sorted(allowed))


def test_actions_on_the_same_resources_share_a_statement() -> None:
    text = session_policy([("s3:GetBucketAcl", "arn:aws:s3:::a"), ("s3:PutBucketAcl", "arn:aws:s3:::a")])
    assert len(json.loads(text)["Statement"]) == 1


def test_who_needs_nothing_may_do_nothing() -> None:
    assert json.loads(session_policy([]))["Statement"] == [{"Effect": "Deny", "Action": "*", "Resource": "*"}]


def test_a_policy_that_aws_would_not_take_is_refused_and_never_widened() -> None:
    frame = len(session_policy([("a:b", "")]))
    longest = "x" * (LONGEST_POLICY - frame)
    assert len(session_policy([("a:b", longest)])) == LONGEST_POLICY
    with pytest.raises(PermanentActionError, match="has 2,049 characters, and AWS takes 2,048") as caught:
        session_policy([("a:b", f"{longest}x")])
    assert caught.value.cause is Cause.INVALID


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("eu-central-1", "aws"),
        ("", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partitions(region: str, name: str) -> None:
    assert partition(region) == name


def test_an_arn_knows_its_partition_better_than_the_region() -> None:
    target = Target(provider="aws", resource="arn:aws-cn:s3:::b", region="")
    assert partition_of(target) == "aws-cn"
    assert partition_of(Target(provider="aws", resource="b", region="us-gov-east-1")) == "aws-us-gov"


def test_arns_are_read() -> None:
    assert account_of("arn:aws:iam::111122223333:role/a:b") == "111122223333"
    assert account_of("arn:aws:s3:::b") == account_of("no arn") == account_of("a:b:c:d:e:f") == ""
    assert home_region("arn:aws-cn:iam::1:role/r") == "cn-north-1"
    assert home_region("arn:aws:iam::1:role/r") == "us-east-1"
    assert known_region("global") == known_region("") == ""
    assert known_region("eu-west-1") == "eu-west-1"
