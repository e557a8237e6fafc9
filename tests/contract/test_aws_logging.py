"""What access logs, trails and flow logs refuse, and what they leave alone."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.bucket_policies import Delivery, allows
from remediation.actions.aws.flow_logs import FlowLogsParams
from remediation.actions.aws.ours import TAGS
from remediation.plan import ActionPlan, Target
from tests.contract.cases.aws_logging import (
    LOGS,
    BucketLoggingCase,
    CreateTrailCase,
    FlowLogsCase,
    StartLoggingCase,
    let_in,
    written,
)
from tests.contract.cases.aws_services import MotoClients
from tests.contract.cases.contract import ActionCase, aws_registry

pytestmark = pytest.mark.slow

WRITTEN = {
    "bucket": BucketLoggingCase.written,
    "trail": StartLoggingCase.written,
    "account": CreateTrailCase.written,
    "vpc": FlowLogsCase.written,
}
NO_TARGETS = [
    ("bucket", "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-12345678", "not an S3 bucket"),
    ("trail", "arn:aws:s3:::acme", "not a trail"),
    ("trail", "arn:aws:cloudtrail:us-east-1:123456789012:trail", "not a trail"),
    ("trail", "", "not a trail"),
    ("account", "arn:aws:s3:::acme", "not the account"),
    ("account", "999999999999", "not the account"),
    ("account", "AWS::::Account:999999999999", "not the account"),
    ("vpc", "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-12345678", "not a VPC"),
    ("vpc", "arn:aws:ec2::123456789012:vpc/vpc-12345678", "not a VPC"),
    ("vpc", "vpc-12345678", "not a VPC"),
    ("vpc", "x" * 500, "not a VPC"),
]


def plan_of(case: ActionCase, resource: Target | None = None) -> ActionPlan:
    return case.registry().resolve(case.written).plan(resource or case.target())


def refusal(case: ActionCase, resource: Target | None = None) -> ActionError:
    with pytest.raises(ActionError) as caught:
        plan_of(case, resource)
    assert len(caught.value.explain().splitlines()) == 1
    return caught.value


@pytest.mark.parametrize(("kind", "resource", "says"), NO_TARGETS)
def test_what_the_action_is_not_for_is_refused_before_any_call(kind: str, resource: str, says: str) -> None:
    target = Target(provider="aws", resource=resource, account_id="123456789012", region="us-east-1")
    step = MotoClients("http://127.0.0.1:1").registry().resolve(WRITTEN[kind])
    with pytest.raises(PermanentActionError, match=says):
        step.plan(target)


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("trail", "arn:aws:cloudtrail:us-east-1:999999999999:trail/theirs"),
        ("account", "arn:aws:iam::999999999999:root"),
        ("vpc", "arn:aws:ec2:us-east-1:999999999999:vpc/vpc-12345678"),
    ],
)
def test_a_resource_of_another_account_is_refused_before_any_call(kind: str, resource: str) -> None:
    target = Target(provider="aws", resource=resource, account_id="123456789012", region="us-east-1")
    step = MotoClients("http://127.0.0.1:1").registry().resolve(WRITTEN[kind])
    with pytest.raises(PermanentActionError) as caught:
        step.plan(target)
    assert caught.value.cause is Cause.WRONG_ACCOUNT


def test_a_bucket_that_lets_s3_deliver_nothing_takes_no_logs(moto_endpoint: str) -> None:
    case = BucketLoggingCase(moto_endpoint)
    case.s3.delete_bucket_policy(Bucket=LOGS)
    error = refusal(case)
    assert "does not let logging.s3.amazonaws.com do s3:PutObject on" in str(error)
    let_in(
        case.s3,
        LOGS,
        "logging.s3.amazonaws.com",
        condition={"StringEquals": {"aws:SourceAccount": "999999999999"}},
    )
    assert "does not let" in str(refusal(case))
    let_in(
        case.s3,
        LOGS,
        "logging.s3.amazonaws.com",
        condition={
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{case.bucket}"},
        },
    )
    assert plan_of(case).is_needed


def test_an_acl_for_the_delivery_group_will_do(moto_endpoint: str) -> None:
    case = BucketLoggingCase(moto_endpoint)
    case.s3.delete_bucket_policy(Bucket=LOGS)
    group = "uri=http://acs.amazonaws.com/groups/s3/LogDelivery"
    case.s3.put_bucket_acl(Bucket=LOGS, GrantWrite=group)
    assert "does not let" in str(refusal(case))
    case.s3.put_bucket_acl(Bucket=LOGS, GrantWrite=group, GrantReadACP=group)
    plan = plan_of(case)
    case.action()[0].apply(plan)
    case.action()[0].verify(plan)
    case.s3.put_bucket_acl(Bucket=LOGS, ACL="private")


def test_a_bucket_logs_neither_into_itself_nor_into_another_region(moto_endpoint: str) -> None:
    case = BucketLoggingCase(moto_endpoint)
    assert "into itself" in str(refusal(case, case.at(f"arn:aws:s3:::{LOGS}")))
    far = f"{case.bucket}-far"
    case.s3.create_bucket(Bucket=far, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert "is in us-east-1" in str(refusal(case, case.at(f"arn:aws:s3:::{far}")))


def test_a_log_bucket_that_is_not_there_is_named(moto_endpoint: str) -> None:
    case = BucketLoggingCase(moto_endpoint)
    case.written = written("s3", "put-bucket-logging", {"TargetBucket": "never-made"})
    error = refusal(case)
    assert error.cause is Cause.NOT_FOUND
    assert "never-made" in str(error)


def test_a_bucket_that_logs_already_is_left_as_it_is(moto_endpoint: str) -> None:
    case = BucketLoggingCase(moto_endpoint)
    case.set_state("logging with grants")
    plan = plan_of(case)
    assert not plan.is_needed
    assert any("It logs already" in note for note in plan.notes)


@pytest.mark.parametrize("resource", ["123456789012", "AWS::::Account:123456789012"])
def test_a_missing_trail_is_a_finding_about_an_account(moto_endpoint: str, resource: str) -> None:
    case = CreateTrailCase(moto_endpoint)
    plan = plan_of(case, case.at(resource, region="eu-central-1"))
    assert plan.target.resource == "arn:aws:cloudtrail:eu-central-1:123456789012:trail/ours"


def test_and_needs_a_region(moto_endpoint: str) -> None:
    case = CreateTrailCase(moto_endpoint)
    assert refusal(case, case.at("123456789012", region="")).cause is Cause.WRONG_REGION


def test_an_account_with_a_trail_gets_no_second_one(moto_endpoint: str) -> None:
    case = CreateTrailCase(moto_endpoint)
    case.trails.create_trail(Name="theirs", S3BucketName=LOGS)
    assert "has a trail already, arn:aws:cloudtrail:us-east-1:123456789012:trail/theirs" in str(refusal(case))


def test_a_bucket_that_lets_cloudtrail_deliver_nothing_takes_no_trail(moto_endpoint: str) -> None:
    case = CreateTrailCase(moto_endpoint)
    case.s3.delete_bucket_policy(Bucket=LOGS)
    assert "does not let cloudtrail.amazonaws.com do s3:GetBucketAcl" in str(refusal(case))


def test_someones_trail_of_our_name_is_neither_touched_nor_deleted(moto_endpoint: str) -> None:
    case = CreateTrailCase(moto_endpoint)
    plan, (action, _) = plan_of(case), case.action()
    made = case.trails.create_trail(Name="ours", S3BucketName=LOGS)
    # moto remembers the tags of a trail of this name that another test has deleted.
    case.trails.remove_tags(
        ResourceId=made["TrailARN"], TagsList=[{"Key": "countersign:created", "Value": "yes"}]
    )
    theirs = case.read_raw()
    for write in (action.apply, action.rollback):
        with pytest.raises(PermanentActionError, match="lacks our tag") as caught:
            write(plan)
        assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert case.read_raw() == theirs


def test_a_trail_that_is_created_and_not_started_is_not_as_planned(moto_endpoint: str) -> None:
    class NoStart:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return (lambda **_: {}) if name == "start_logging" else getattr(self._client, name)

    case = CreateTrailCase(moto_endpoint)
    plan = plan_of(case)
    case.registry(wrap=NoStart).resolve(case.written).action.apply(plan)
    action = case.action()[0]
    with pytest.raises(PermanentActionError, match="recording is not begun, not on"):
        action.verify(plan)
    action.rollback(plan)
    action.verify_rollback(plan)


def test_an_unknown_trail_is_explained(moto_endpoint: str) -> None:
    case = StartLoggingCase(moto_endpoint)
    assert refusal(case, case.at(f"{case.arn}-no")).cause is Cause.NOT_FOUND


def test_what_ec2_lists_as_unsuccessful_has_failed(moto_endpoint: str) -> None:
    case = FlowLogsCase(moto_endpoint)
    case.written = written(
        "ec2",
        "create-flow-logs",
        {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::never-made"},
    )
    plan = plan_of(case)
    with pytest.raises(PermanentActionError, match="never-made does not exist") as caught:
        case.action()[0].apply(plan)
    assert caught.value.request_id


def test_a_flow_log_that_cannot_deliver_is_not_verified(moto_endpoint: str) -> None:
    case = FlowLogsCase(moto_endpoint)
    role = "arn:aws:iam::123456789012:role/flow-logs"
    params = {
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "/no/such/group",
        "DeliverLogsPermissionArn": role,
    }
    case.written = written("ec2", "create-flow-logs", params)
    plan, action = plan_of(case), case.action()[0]
    action.apply(plan)
    with pytest.raises(PermanentActionError, match="cannot deliver: Access error"):
        action.verify(plan)
    action.rollback(plan)
    assert case.read_raw() == []


def test_a_flow_log_into_a_log_group_is_verified(moto_endpoint: str) -> None:
    case = FlowLogsCase(moto_endpoint)
    case.clients.raw("logs", region="eu-west-1").create_log_group(logGroupName=f"/flow/{case.vpc}")
    params = {
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": f"/flow/{case.vpc}",
        "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flow-logs",
        "TrafficType": "REJECT",
        "MaxAggregationInterval": 60,
    }
    case.written = written("ec2", "create-flow-logs", params)
    plan, action = plan_of(case), case.action()[0]
    action.apply(plan)
    action.verify(plan)


def test_a_rollback_deletes_our_flow_log_and_not_theirs(moto_endpoint: str) -> None:
    case = FlowLogsCase(moto_endpoint)
    plan, action = plan_of(case), case.action()[0]
    action.apply(plan)
    assert case.read_raw() == [("ALL", f"arn:aws:s3:::{LOGS}", list(TAGS))]
    case.record()
    action.rollback(plan)
    action.verify_rollback(plan)
    assert case.read_raw() == [("REJECT", None, [])]


@pytest.mark.parametrize(
    "params",
    [
        {"LogDestinationType": "s3"},
        {"LogDestinationType": "cloud-watch-logs", "LogGroupName": "a"},
        {"LogDestinationType": "cloud-watch-logs", "LogDestination": "arn:aws:s3:::acme"},
        {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::acme", "LogGroupName": "a"},
        {"LogDestinationType": "s3", "LogDestination": "acme"},
        {"LogDestinationType": "kinesis", "LogDestination": "arn:aws:s3:::acme"},
        {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::acme", "MaxAggregationInterval": 61},
    ],
)
def test_a_flow_log_needs_one_whole_destination(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FlowLogsParams.model_validate(params)


def test_the_one_role_that_is_needed_can_be_passed_and_no_other(moto_endpoint: str) -> None:
    case, role = FlowLogsCase(moto_endpoint), "arn:aws:iam::123456789012:role/flow-logs"
    params = {
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "g",
        "DeliverLogsPermissionArn": role,
    }
    assert passed_roles(case) == {"arn:aws:iam::123456789012:role/none"}
    case.action()[0].rollback(plan_of(case))
    case.written = written("ec2", "create-flow-logs", params)
    assert passed_roles(case) == {role}


def passed_roles(case: FlowLogsCase) -> set[str]:
    """Apply, and return the roles that the credentials were made to pass on."""
    plan = plan_of(case)
    aws_registry(case.clients).resolve(case.written).action.apply(plan)
    asked = [grant for _, _, access in case.clients.asked for grant in access.allowed]
    case.clients.asked.clear()
    return {arn for name, arn in asked if name == "iam:PassRole"}


DELIVERY = Delivery(
    service="s.aws", action="s3:PutObject", resource="arn:aws:s3:::b/k", facts={"aws:sourceaccount": "1"}
)
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "s.aws"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::b/*",
}


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({}, True),
        ({"Action": "s3:*"}, True),
        ({"Action": ["S3:putobject"]}, True),
        ({"Principal": {"Service": ["x", "s.aws"]}}, True),
        ({"Principal": "*"}, True),
        ({"Condition": {"StringEquals": {"AWS:SourceAccount": ["2", "1"]}}}, True),
        ({"Resource": "arn:aws:s3:::?/k"}, True),
        ({"Resource": "arn:aws:s3:::bb/*"}, False),
        ({"Action": "s3:GetObject"}, False),
        ({"Principal": {"Service": "other.aws"}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "2"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "2"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "v"}}}, False),
        ({"Condition": "odd"}, False),
        ({"Effect": "Deny"}, False),
        ({"Action": None, "NotAction": "s3:GetObject"}, False),
    ],
)
def test_what_a_bucket_policy_lets_in(change: dict[str, object], answer: bool) -> None:
    assert allows(json.dumps({"Statement": [ALLOW | change]}), DELIVERY) is answer
    assert allows(json.dumps({"Statement": ALLOW | change}), DELIVERY) is answer
    deny = ALLOW | {"Effect": "Deny"}
    assert not allows(json.dumps({"Statement": [ALLOW | change, deny]}), DELIVERY)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"Statement": "odd"}', '{"Statement": [1]}'])
def test_what_is_no_policy_lets_nothing_in(text: str) -> None:
    assert not allows(text, DELIVERY)
