"""`countersign playbook permissions`: exactly what the actions declare, in a form that AWS takes."""

import json
import re
import uuid
from dataclasses import asdict
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.permissions import build_aws_policy
from bot.planning import make_registry
from remediation import PlaybookLibrary
from remediation.actions.contract import Permissions

MIXED = Permissions(
    plan=("s3:GetBucketAcl", "ec2:DescribeSecurityGroups", "s3:ListAllMyBuckets"),
    apply=("s3:PutBucketPublicAccessBlock", "ec2:RevokeSecurityGroupIngress"),
    rollback=("ec2:AuthorizeSecurityGroupIngress",),
)


def permissions(*words: str) -> Any:
    done = CliRunner().invoke(app, ["playbook", "permissions", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def allowed(policy: Any) -> dict[str, tuple[list[str], str]]:
    return {one["Sid"]: (one["Action"], one["Resource"]) for one in policy["Statement"]}


def all_actions() -> dict[str, Permissions]:
    return {action.key: action.permissions for action in make_registry().actions()}


@pytest.mark.parametrize("words", [["AWS-PUBLIC-S3"], ["aws-public-s3", "--json"]])
def test_a_playbook_needs_what_its_actions_declare(words: list[str]) -> None:
    needs = all_actions()["s3:put-public-access-block"]
    of_account = all_actions()["s3control:put-public-access-block"]
    policy = permissions(*words)
    assert policy["Version"] == "2012-10-17"
    assert allowed(policy) == {
        "CountersignPlanOnBuckets": (sorted(needs.plan), "arn:aws:s3:::*"),
        "CountersignApplyOnBuckets": (sorted(needs.apply), "arn:aws:s3:::*"),
        "CountersignRollbackOnBuckets": (sorted(needs.rollback), "arn:aws:s3:::*"),
        "CountersignPlan": (sorted(of_account.plan), "*"),
        "CountersignApply": (sorted(of_account.apply), "*"),
        "CountersignRollback": (sorted(of_account.rollback), "*"),
    }


def test_without_an_id_it_covers_every_playbook() -> None:
    used = {
        name
        for book in PlaybookLibrary.get_all_playbooks().values()
        for step in book.actions
        for phase in asdict(make_registry().resolve(step).action.permissions).values()
        for name in phase
    }
    assert {name for actions, _ in allowed(permissions()).values() for name in actions} == used


def test_a_bot_that_only_plans_needs_no_right_to_write() -> None:
    names = [name for actions, _ in allowed(permissions("--plan-only")).values() for name in actions]
    assert names
    assert all(re.match(r"\w+:(Get|List|Describe)", name) for name in names)


def test_what_is_not_about_a_bucket_is_asked_for_on_any_resource() -> None:
    assert allowed(build_aws_policy([MIXED])) == {
        "CountersignPlan": (["ec2:DescribeSecurityGroups", "s3:ListAllMyBuckets"], "*"),
        "CountersignPlanOnBuckets": (["s3:GetBucketAcl"], "arn:aws:s3:::*"),
        "CountersignApply": (["ec2:RevokeSecurityGroupIngress"], "*"),
        "CountersignApplyOnBuckets": (["s3:PutBucketPublicAccessBlock"], "arn:aws:s3:::*"),
        "CountersignRollback": (["ec2:AuthorizeSecurityGroupIngress"], "*"),
    }


def test_iam_takes_the_policy(moto_endpoint: str) -> None:
    """Moto checks a document's grammar as IAM does: versions, Sids without punctuation or twins, resources."""
    iam = boto3.client("iam", endpoint_url=moto_endpoint, region_name="us-east-1")
    for number, needed in enumerate(([MIXED], list(all_actions().values()))):
        document = json.dumps(build_aws_policy(needed))
        name = f"countersign-{uuid.uuid4().hex}-{number}"
        made = iam.create_policy(PolicyName=name, PolicyDocument=document)
        iam.delete_policy(PolicyArn=made["Policy"]["Arn"])


def test_words_for_people_stay_off_the_document() -> None:
    loud, quiet = (CliRunner().invoke(app, ["playbook", "permissions", *more]) for more in ([], ["--json"]))
    assert "Attach it to the role" in loud.stderr
    assert quiet.stderr == ""
    assert loud.stdout == quiet.stdout


def test_an_unknown_playbook_is_one_line() -> None:
    done = CliRunner().invoke(app, ["playbook", "permissions", "AWS-PUBLC-S3"])
    assert done.exit_code == 1
    assert "AWS-PUBLIC-S3" in done.stderr
    assert len(done.stderr.splitlines()) == 1
