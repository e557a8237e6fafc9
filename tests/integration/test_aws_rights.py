"""What an action declares is what it needs: with exactly that it works, and without any one right to write it is told no.

moto judges by action names; it knows neither our resources' ARNs outside S3 nor conditions, so every policy here is for any resource.
"""

import http.client
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.contract import Phase
from remediation.actions.registry import Step
from remediation.plan import ActionPlan
from tests.contract.cases.aws_ebs import EbsDefaultEncryptionCase, EncryptedCopyCase
from tests.contract.cases.aws_security_group import ReplacedAccessCase, SecurityGroupCase
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry

pytestmark = pytest.mark.slow

KINDS: list[type[ActionCase]] = [
    EbsDefaultEncryptionCase,
    EncryptedCopyCase,
    SecurityGroupCase,
    ReplacedAccessCase,
]
# Not asked of us by moto: it has no KMS behind EBS, and tags that come with a new thing need no right of their own there.
UNASKED = {"ec2:CreateTags", "ec2:GetEbsDefaultKmsKeyId"}


class Judged:
    """Moto with its eye on rights, for the length of a block."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.iam = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1")

    def registry_with(self, rights: tuple[str, ...]) -> Any:
        """Return the actions as somebody who has these rights on everything and no others."""
        name = f"user-{uuid.uuid4().hex[:12]}"
        self.iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(rights), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=policy)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        client = boto3.client(
            "ec2",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        return aws_registry(OneClient(client))

    @contextmanager
    def judging(self) -> Iterator[None]:
        self._free_calls("0")
        try:
            yield
        finally:
            self._free_calls("inf")

    def _free_calls(self, count: str) -> None:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"))
        connection.request("POST", "/moto-api/reset-auth", count.encode())
        assert connection.getresponse().status == 200
        connection.close()


@pytest.fixture
def judged(moto_endpoint: str) -> Judged:
    return Judged(moto_endpoint)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest) -> ActionCase:
    made: ActionCase = request.param.prepare(request)
    made.set_state(made.unsettled)
    return made


def act(step: Step, plan: ActionPlan, phase: Phase) -> None:
    if phase == "plan":
        step.plan(plan.target)
    else:
        {"apply": step.action.apply, "rollback": step.action.rollback}[phase](plan)


@pytest.mark.parametrize("phase", ["plan", "apply", "rollback"])
def test_what_is_declared_is_enough_and_nothing_of_it_too_much(
    case: ActionCase, judged: Judged, phase: Phase
) -> None:
    own = case.registry().resolve(case.written)
    plan, permissions = own.plan(case.target()), own.action.permissions
    if phase == "rollback":
        own.action.apply(plan)
    rights = permissions.of(phase)
    # In the order of use, so that who lacks a later one does not leave work done for who lacks an earlier one.
    writing = [right for right in rights if right not in permissions.plan and right.startswith("ec2:")]
    lacking = {
        right: judged.registry_with(tuple(other for other in rights if other != right)).resolve(case.written)
        for right in writing
        if right not in UNASKED and _is_used(right, plan, phase)
    }
    enough = judged.registry_with(rights).resolve(case.written)
    with judged.judging():
        for right, step in lacking.items():
            with pytest.raises(PermanentActionError) as caught:
                act(step, plan, phase)
            assert caught.value.cause is Cause.DENIED, right
        act(enough, plan, phase)


def _is_used(right: str, plan: ActionPlan, phase: Phase) -> bool:
    """Tell whether this very plan writes so: rights are declared for all that an action may do."""
    replaces = bool(plan.after) if "SecurityGroup" in right else True
    if right == "ec2:AuthorizeSecurityGroupIngress":
        return replaces or phase == "rollback"
    if right == "ec2:RevokeSecurityGroupIngress":
        return replaces or phase == "apply"
    return not (right == "ec2:EnableEbsEncryptionByDefault" and phase == "rollback")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_who_may_only_plan_cannot_write(
    kind: type[ActionCase], judged: Judged, request: pytest.FixtureRequest
) -> None:
    case = kind.prepare(request)
    case.set_state(case.unsettled)
    own, before = case.registry().resolve(case.written), case.read_raw()
    plan = own.plan(case.target())
    step = judged.registry_with(own.action.permissions.plan).resolve(case.written)
    with judged.judging(), pytest.raises(ActionError):
        step.action.apply(plan)
    assert case.read_raw() == before
