"""`countersign playbook permissions`: exactly what the actions declare, in a form that each cloud takes."""

import json
import re
import uuid
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from audit.errors import Cause, PermanentActionError
from bot.cli import app
from bot.permissions import (
    LONGEST_AWS_POLICY,
    build_aws_policy,
    build_azure_role,
    build_gcp_role,
    build_trust_policy,
)
from bot.planning import make_registry
from remediation import PlaybookLibrary
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.aws.templates import SAMPLES, template_scopes
from remediation.actions.contract import Permissions
from remediation.plan import Target
from tests.fakes.aws_actions import EncryptDisks, JoinGroup
from tests.fakes.switches import Switch, Switchboard

CLIENTS = Boto3Clients()
SOME_GROUP = "arn:aws:ec2:*:*:security-group/sg-*"
ANY_RULE = "arn:aws:ec2:*:*:security-group-rule/*"
THE_GROUP = "arn:aws:iam::*:group/second-factor"
PUBLIC_S3 = "s3:put-public-access-block"


class Mixed(EncryptDisks):
    """Needs things on a group, on its rules, and on nothing in particular."""

    permissions = Permissions(
        plan=("ec2:DescribeSecurityGroups", "s3:ListAllMyBuckets"),
        apply=("ec2:RevokeSecurityGroupIngress", "ec2:CreateTags"),
        rollback=("ec2:AuthorizeSecurityGroupIngress",),
    )

    def scope(self, permission: str, target: Target) -> str:
        if permission in self.permissions.plan:
            return "*"
        name = target.resource.rpartition("/")[2]
        if not name.startswith("sg-"):
            raise PermanentActionError(f"{name} is no security group", cause=Cause.INVALID)
        kind = f"security-group/{name}" if permission != "ec2:CreateTags" else "security-group-rule/*"
        return f"arn:aws:ec2:{target.region}:{target.account_id}:{kind}"


class AsItCame(EncryptDisks):
    """Needs its permission on the resource, whatever that is."""

    permissions = Permissions(plan=("cloudtrail:GetTrail",), apply=(), rollback=())

    def scope(self, permission: str, target: Target) -> str:
        return target.resource


class OnAnotherCloud(Switch):
    """As Google and Azure name what they allow."""

    permissions = Permissions(
        plan=("storage.buckets.get",), apply=("storage.buckets.update",), rollback=("storage.buckets.update",)
    )


def permissions(*words: str) -> Any:
    done = CliRunner().invoke(app, ["playbook", "permissions", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def allowed(policy: Any) -> dict[str, tuple[list[str], str]]:
    return {one["Sid"]: (one["Action"], one["Resource"]) for one in policy["Statement"]}


def all_actions() -> dict[str, Any]:
    return {action.key: action for action in make_registry().actions()}


def aws_actions() -> list[AwsAction[Any]]:
    return [action for action in all_actions().values() if isinstance(action, AwsAction)]


@pytest.mark.parametrize(
    "words", [["AWS-PUBLIC-S3"], ["aws-public-s3", "--json"], ["AWS-PUBLIC-S3", "--cloud", "aws"]]
)
def test_a_playbook_needs_what_its_actions_declare(words: list[str]) -> None:
    book = PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"]
    used = [make_registry().action_of(step).permissions for step in book.actions]
    policy = permissions(*words)
    assert policy["Version"] == "2012-10-17"
    for phase in ("plan", "apply", "rollback"):
        said = {name for sid, (names, _) in allowed(policy).items() if phase.title() in sid for name in names}
        assert said == {name for needed in used for name in getattr(needed, phase)}


def test_a_buckets_rights_are_on_buckets() -> None:
    needs = all_actions()[PUBLIC_S3].permissions
    assert allowed(build_aws_policy([all_actions()[PUBLIC_S3]])) == {
        "CountersignPlanOnS3": (sorted(needs.plan), "arn:aws:s3:::*"),
        "CountersignApplyOnS3": (sorted(needs.apply), "arn:aws:s3:::*"),
        "CountersignRollbackOnS3": (sorted(needs.rollback), "arn:aws:s3:::*"),
    }


def test_without_an_id_it_covers_every_playbook_on_aws() -> None:
    used = {
        name
        for book in PlaybookLibrary.get_all_playbooks().values()
        for step in book.actions
        if step.action_type == "aws"
        for phase in ("plan", "apply", "rollback")
        for name in getattr(make_registry().action_of(step).permissions, phase)
    }
    assert {name for actions, _ in allowed(permissions()).values() for name in actions} == used


def test_a_bot_that_only_plans_needs_no_right_to_write() -> None:
    names = [name for actions, _ in allowed(permissions("--plan-only")).values() for name in actions]
    assert names
    assert all(re.match(r"[\w-]+:(Get|List|Describe)", name) for name in names)


def test_what_is_needed_where_is_what_the_actions_say() -> None:
    assert allowed(build_aws_policy([Mixed(CLIENTS), JoinGroup(CLIENTS)])) == {
        "CountersignPlan": (["ec2:DescribeSecurityGroups", "s3:ListAllMyBuckets"], "*"),
        "CountersignPlanOnIamUser": (["iam:ListGroupsForUser"], "arn:aws:iam::*:user/*"),
        "CountersignApplyOnEc2SecurityGroup": (["ec2:RevokeSecurityGroupIngress"], SOME_GROUP),
        "CountersignApplyOnEc2SecurityGroupRule": (["ec2:CreateTags"], ANY_RULE),
        "CountersignApplyOnIamGroup": (["iam:AddUserToGroup"], THE_GROUP),
        "CountersignRollbackOnEc2SecurityGroup": (["ec2:AuthorizeSecurityGroupIngress"], SOME_GROUP),
        "CountersignRollbackOnIamGroup": (["iam:RemoveUserFromGroup"], THE_GROUP),
    }


def test_a_permission_needed_everywhere_is_not_asked_for_again_somewhere() -> None:
    class Narrow(Mixed):
        permissions = Permissions(plan=(), apply=("ec2:CreateTags",), rollback=())

    class Wide(EncryptDisks):
        permissions = Permissions(plan=(), apply=("ec2:CreateTags",), rollback=())

    assert allowed(build_aws_policy([Narrow(CLIENTS)])).keys() == {"CountersignApplyOnEc2SecurityGroupRule"}
    both = allowed(build_aws_policy([Narrow(CLIENTS), Wide(CLIENTS)]))
    assert both == {"CountersignApply": (["ec2:CreateTags"], "*")}


def test_an_action_that_does_not_look_is_not_believed_about_other_services() -> None:
    assert template_scopes(AsItCame(CLIENTS), "cloudtrail:GetTrail") == ("arn:aws:cloudtrail:*:*:trail/*",)


def test_an_action_on_a_kind_we_have_no_sample_of_is_printed_for_any_resource() -> None:
    class Unknown(EncryptDisks):
        def scope(self, permission: str, target: Target) -> str:
            return JoinGroup(CLIENTS).scope("iam:ListGroupsForUser", target).replace("iam", "sqs")

    assert template_scopes(Unknown(CLIENTS), "ec2:CreateTags") == ("*",)


@pytest.mark.parametrize("action", aws_actions(), ids=lambda action: action.key)
def test_no_sample_is_left_in_what_is_printed(action: AwsAction[Any]) -> None:
    document = json.dumps(build_aws_policy([action]))
    assert not [word for word in ("0000", "sample", "c0ffee") if word in document]
    assert all(sample not in document for sample in SAMPLES)


def test_iam_takes_the_policy(moto_endpoint: str) -> None:
    """Moto checks a document's grammar as IAM does: versions, Sids without punctuation or twins, resources."""
    iam = boto3.client("iam", endpoint_url=moto_endpoint, region_name="us-east-1")
    for number, needed in enumerate(([Mixed(CLIENTS), JoinGroup(CLIENTS)], aws_actions())):
        document = json.dumps(build_aws_policy(needed))
        name = f"countersign-{uuid.uuid4().hex}-{number}"
        made = iam.create_policy(PolicyName=name, PolicyDocument=document)
        iam.delete_policy(PolicyArn=made["Policy"]["Arn"])


@pytest.mark.parametrize("playbook_id", sorted(PlaybookLibrary.get_all_playbooks()))
def test_each_playbooks_policy_fits_into_one(playbook_id: str) -> None:
    registry = make_registry()
    steps = PlaybookLibrary.get_all_playbooks()[playbook_id].actions
    actions = [registry.action_of(step) for step in steps if step.action_type == "aws"]
    assert len(json.dumps(build_aws_policy(actions), separators=(",", ":"))) <= LONGEST_AWS_POLICY


def test_a_role_for_google_cloud() -> None:
    action = OnAnotherCloud(Switchboard())
    role = build_gcp_role([action, action])
    assert role["includedPermissions"] == ["storage.buckets.get", "storage.buckets.update"]
    # What `gcloud iam roles create --file` reads (IAM API, projects.roles, Role).
    assert set(role) == {"title", "description", "stage", "includedPermissions"}
    assert build_gcp_role([action], plan_only=True)["includedPermissions"] == ["storage.buckets.get"]


def test_a_role_for_azure() -> None:
    action = OnAnotherCloud(Switchboard())
    role = build_azure_role([action], subscriptions=["b", "a"])
    assert role["Actions"] == ["storage.buckets.get", "storage.buckets.update"]
    assert role["AssignableScopes"] == ["/subscriptions/a", "/subscriptions/b"]
    assert role["IsCustom"] is True
    assert build_azure_role([action], plan_only=True)["Actions"] == ["storage.buckets.get"]
    assert build_azure_role([action])["AssignableScopes"] == ["/subscriptions/YOUR-SUBSCRIPTION-ID"]


def test_the_trust_policy_names_one_principal_and_an_external_id(moto_endpoint: str) -> None:
    document = permissions("--trust", "arn:aws:iam::123456789012:role/bot")
    assert document == build_trust_policy(
        "arn:aws:iam::123456789012:role/bot", external_id="YOUR-EXTERNAL-ID"
    )
    [statement] = document["Statement"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "YOUR-EXTERNAL-ID"}}
    iam = boto3.client("iam", endpoint_url=moto_endpoint, region_name="us-east-1")
    iam.create_role(RoleName=f"r-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=json.dumps(document))


def test_a_cloud_that_a_playbook_has_nothing_to_do_with_is_one_line() -> None:
    done = CliRunner().invoke(app, ["playbook", "permissions", "AWS-PUBLIC-S3", "--cloud", "gcp"])
    assert done.exit_code == 1
    assert (
        done.stderr == "countersign: AWS-PUBLIC-S3: nothing is done on gcp, so nothing needs to be allowed\n"
    )


def test_a_cloud_nobody_knows_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["playbook", "permissions", "--cloud", "moon"]).exit_code == 2


def test_words_for_people_stay_off_the_document() -> None:
    loud, quiet = (CliRunner().invoke(app, ["playbook", "permissions", *more]) for more in ([], ["--json"]))
    assert "Attach it to the role that the bot acts in" in loud.stderr
    assert quiet.stderr == ""
    assert loud.stdout == quiet.stdout


def test_an_unknown_playbook_is_one_line() -> None:
    done = CliRunner().invoke(app, ["playbook", "permissions", "AWS-PUBLC-S3"])
    assert done.exit_code == 1
    assert "AWS-PUBLIC-S3" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("playbook_id", ["ENABLE-LOGGING", "ROTATE-CREDENTIALS"])
@pytest.mark.parametrize(
    ("cloud", "entry"), [("aws", "Statement"), ("gcp", "includedPermissions"), ("azure", "Actions")]
)
def test_a_playbook_for_three_clouds_prints_all_three(playbook_id: str, cloud: str, entry: str) -> None:
    assert permissions(playbook_id, "--cloud", cloud)[entry]


def test_what_is_for_a_user_is_allowed_on_users_alone() -> None:
    used = {
        resource
        for _, resource in allowed(build_aws_policy([all_actions()["iam:rotate-access-key"]])).values()
    }
    iam = {resource for resource in used if ":iam:" in resource}
    assert iam == {"arn:aws:iam::*:user/*"}
