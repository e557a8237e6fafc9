"""Raw calls to AWS: none unless the configuration names it, shown exactly, made once, never called reversible."""

import json
from typing import Any

import pytest

from audit.errors import Cause, InputError, PermanentActionError
from audit.findings import Finding
from remediation import PlaybookExecutor, PlaybookStatus, RemediationPlaybook
from remediation.actions.aws.clients import Access
from remediation.actions.clouds import Clouds
from remediation.actions.equipment import Equipment
from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from remediation.playbook_schema import playbook_schema
from tests.contract.cases.contract import OneClient

DELETE = "s3:delete-bucket-policy"
TARGET = Target(provider="aws", resource="arn:aws:s3:::b", account_id="123456789012", region="us-east-1")


def step(call: str, params: dict[str, object] | None = None, *, service: str = "s3") -> PlaybookAction:
    written = {"service": service, "action": call, "params": params or {}}
    return PlaybookAction("raw", "aws", written)


def registry(*allowed: str, client: object = None) -> ActionRegistry:
    return ActionRegistry.standard(Clouds(aws=OneClient(client)), Equipment(raw_calls=frozenset(allowed)))


def book_with(call: str = "delete-bucket-policy") -> RemediationPlaybook:
    book = RemediationPlaybook("RAW", "Raw", "A raw call.", "Storage", "HIGH")
    book.add_action(
        "drop_policy",
        "aws",
        {"service": "s3", "action": call, "params": {"Bucket": "{{ finding.resource_type }}"}},
    )
    return book


def test_a_call_that_nobody_allowed_is_refused() -> None:
    with pytest.raises(InputError, match="any other call to AWS has to be named in `raw_calls`"):
        registry().check(step("delete-bucket-policy"))
    with pytest.raises(InputError, match="did you mean “s3:delete-bucket-policy”"):
        registry(DELETE).check(step("delete-bucket-polcy"))
    registry(DELETE).check(step("delete-bucket-policy"))


def test_where_we_have_a_planned_action_that_one_is_used() -> None:
    found = registry("s3:put-public-access-block").resolve(
        step("put-public-access-block", {"BlockPublicAcls": True})
    )
    assert found.action.reversible
    assert found.action.verifiable
    assert registry("s3:put-public-access-block", DELETE).raw_calls() == [DELETE]


def test_the_plan_shows_the_exact_call_and_reads_nothing() -> None:
    params = {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
    plan = registry("s3:put-bucket-tagging").resolve(step("put-bucket-tagging", params)).plan(TARGET)
    assert plan.after == {
        "Call": "s3 put-bucket-tagging",
        "with Bucket": "b",
        "with Tagging": '{"TagSet": [{"Key": "a", "Value": "b"}]}',
    }
    assert set(plan.before.values()) == {None}
    assert plan.params == {"arguments": params}
    assert (plan.reversible, plan.idempotent, plan.effect) == (False, False, "change")
    assert "cannot be put back" in plan.notes[0]
    assert plan.action == "aws:s3:put-bucket-tagging"


@pytest.mark.parametrize(
    ("service", "call", "params", "why"),
    [
        ("s3contrl", "delete-bucket-policy", {}, "AWS has no service “s3contrl”; did you mean “s3control”"),
        (
            "s3",
            "delete-bucket-polic",
            {},
            "AWS's s3 has no call “delete-bucket-polic”; did you mean “delete-bucket-policy”",
        ),
        ("s3", "generate-presigned-url", {}, "AWS's s3 has no call"),
        ("s3", "close", {}, "AWS's s3 has no call"),
        ("s3", "--class--", {}, "AWS's s3 has no call"),
        ("s3", "delete-bucket-policy", {}, 'Missing required parameter in input: "Bucket"'),
        ("s3", "delete-bucket-policy", {"Bucket": 3}, "Invalid type for parameter Bucket"),
        ("s3", "delete-bucket-policy", {"Bucket": "b", "Force": True}, 'Unknown parameter in input: "Force"'),
    ],
)
def test_a_call_that_aws_does_not_have_is_refused_before_any_call(
    service: str, call: str, params: dict[str, object], why: str
) -> None:
    written = step(call, params, service=service)
    with pytest.raises(PermanentActionError) as caught:
        registry(f"{service}:{call}").resolve(written).plan(TARGET)
    assert why in str(caught.value)
    assert len(caught.value.explain().splitlines()) == 1


def test_a_parameter_without_one_spelling_is_refused() -> None:
    with pytest.raises(InputError, match="a float has no canonical form"):
        registry(DELETE).resolve(step("delete-bucket-policy", {"Bucket": 0.5}))


@pytest.mark.parametrize(
    ("service", "call", "params", "region", "expected"),
    [
        ("iam", "delete-user", {"UserName": "u"}, "global", "us-east-1"),
        ("iam", "delete-user", {"UserName": "u"}, "", "us-east-1"),
        ("ec2", "stop-instances", {"InstanceIds": ["i-1"]}, "eu-west-1", "eu-west-1"),
    ],
)
def test_it_goes_to_the_findings_region(
    service: str, call: str, params: dict[str, object], region: str, expected: str
) -> None:
    where = Target(provider="aws", resource="r", account_id="123456789012", region=region)
    found = registry(f"{service}:{call}").resolve(step(call, params, service=service)).plan(where)
    assert found.target.region == expected


def test_where_no_region_is_known_none_is_guessed() -> None:
    where = Target(provider="aws", resource="r", account_id="123456789012")
    with pytest.raises(PermanentActionError, match="names no region to call ec2 in") as caught:
        registry("ec2:stop-instances").resolve(
            step("stop-instances", {"InstanceIds": ["i-1"]}, service="ec2")
        ).plan(where)
    assert caught.value.cause is Cause.WRONG_REGION


def test_its_credentials_may_be_narrowed_to_that_one_operation() -> None:
    asked: list[Access] = []

    class Recording(OneClient):
        def client(self, service: str, *, region: str, access: Access) -> Any:
            asked.append(access)
            raise PermanentActionError("enough", cause=Cause.DENIED)

    clouds = Clouds(aws=Recording(None))
    found = ActionRegistry.standard(clouds, Equipment(raw_calls=frozenset({DELETE}))).resolve(
        step("delete-bucket-policy", {"Bucket": "b"})
    )
    with pytest.raises(PermanentActionError, match="enough"):
        found.action.apply(found.plan(TARGET))
    assert asked == [Access(account_id="123456789012", allowed=(("s3:DeleteBucketPolicy", "*"),), once=True)]


@pytest.fixture
def policied(s3: Any, bucket: str) -> str:
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    return bucket


def finding_on(finding: Finding, bucket: str) -> dict[str, object]:
    return {**finding.to_dict(), "resource_type": bucket}


def test_it_is_made_once_and_cannot_be_put_back(s3: Any, policied: str, finding: Finding) -> None:
    executor = PlaybookExecutor({"s3": s3}, equipment=Equipment(raw_calls=frozenset({DELETE})))
    asked = executor.execute_playbook(book_with(), finding_on(finding, policied), "ana@northwind.example")
    assert asked.status is PlaybookStatus.PENDING, asked.error
    assert s3.get_bucket_policy(Bucket=policied)
    assert executor.approve_execution(asked.execution_id, "omar@northwind.example")
    done = executor.get_execution(asked.execution_id)
    assert done.status is PlaybookStatus.COMPLETED
    assert done.actions[0].message == "Called; AWS said yes, and nothing was read again"
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=policied)
    assert not done.can_roll_back


def test_what_aws_says_no_to_is_explained(s3: Any, finding: Finding) -> None:
    executor = PlaybookExecutor({"s3": s3}, equipment=Equipment(raw_calls=frozenset({DELETE})))
    asked = executor.execute_playbook(
        book_with(), finding_on(finding, "bucket-that-never-was"), "ana@northwind.example"
    )
    executor.approve_execution(asked.execution_id, "omar@northwind.example")
    failed = executor.get_execution(asked.execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert "Could not call s3 delete-bucket-policy" in str(failed.error)
    assert "NoSuchBucket" in str(failed.error)


def test_without_the_configuration_the_specifications_form_is_refused(
    s3: Any, policied: str, finding: Finding
) -> None:
    executor = PlaybookExecutor({"s3": s3})
    assert not executor.validate_playbook(book_with())
    with pytest.raises(InputError, match="raw_calls"):
        executor.execute_playbook(book_with(), finding_on(finding, policied), "ana@northwind.example")


def test_the_schema_knows_the_calls_that_are_allowed() -> None:
    import jsonschema

    book = {
        "playbook_id": "RAW",
        "name": "Raw",
        "finding_category": "Storage",
        "severity": "HIGH",
        "actions": [
            {
                "action_name": "a",
                "action_type": "aws",
                "params": {"service": "s3", "action": "delete-bucket-policy", "params": {"Bucket": "b"}},
            }
        ],
    }
    jsonschema.validate(book, playbook_schema(registry(DELETE)))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(book, playbook_schema(registry()))
