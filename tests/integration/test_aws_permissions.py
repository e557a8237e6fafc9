"""What an action declares is what it needs: with policies enforced, planning works with the rights to plan alone.

Moto's server knows an action's name and no more: see "AWS is moto's server" in docs/limits.md. An action joins by a line in `PROOFS`.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.clients import AwsClients
from remediation.actions.aws.public_access_block import PublicAccessBlockParams
from remediation.actions.aws.s3_public_access import PutPublicAccessBlock
from remediation.actions.contract import Draft, Params, Phase
from remediation.actions.registry import Step
from remediation.plan import ActionPlan, Target
from remediation.playbook import PlaybookAction
from tests.conftest import ACCOUNT
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.fakes.aws_actions import EncryptDisks, JoinGroup
from tests.fakes.strict_aws import Keys, StrictAccount, strict_account

pytestmark = pytest.mark.slow

# Moto asks for these in place of what AWS asks for (the Service Authorization Reference, Amazon S3). They are no part of a policy.
MOTOS_NAMES = {
    "s3:GetBucketPublicAccessBlock": ("s3:ListBucket",),
    "s3:PutBucketPublicAccessBlock": ("s3:CreateBucket", "s3:DeleteBucket"),
}
# A policy must allow something.
UNRELATED = ("sns:Publish",)


@dataclass(frozen=True)
class Proof:
    """An action, and what it is pointed at; `make` makes that as the account's owner and returns its ARN."""

    action: Callable[[AwsClients], AwsAction[Any]]
    make: Callable[[StrictAccount], str]
    params: Params = Params()  # noqa: RUF009 - frozen


def make_bucket(account: StrictAccount) -> str:
    name = f"strict-{uuid.uuid4().hex[:12]}"
    account.client("s3").create_bucket(Bucket=name)
    return f"arn:aws:s3:::{name}"


def make_user(account: StrictAccount) -> str:
    iam, name = account.client("iam"), f"ana-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    if JoinGroup.group not in {group["GroupName"] for group in iam.list_groups()["Groups"]}:
        iam.create_group(GroupName=JoinGroup.group)
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def leave_disks_open(account: StrictAccount) -> str:
    account.client("ec2").disable_ebs_encryption_by_default()
    return f"arn:aws:ec2:us-east-1:{ACCOUNT}:account"


ALL_ON = PublicAccessBlockParams(**dict.fromkeys(S3PublicAccessCase.flags, True))
PROOFS = {
    "bucket": Proof(PutPublicAccessBlock, make_bucket, ALL_ON),
    "disks": Proof(EncryptDisks, leave_disks_open),
    "group": Proof(JoinGroup, make_user),
}


@pytest.fixture(scope="module")
def account() -> Iterator[StrictAccount]:
    with strict_account() as one:
        yield one


@dataclass(frozen=True)
class Stage:
    """An action's step as a user takes it whose rights we choose."""

    account: StrictAccount
    who: Keys
    step: Step
    target: Target

    def let(self, *phases: Phase) -> None:
        self.let_only({name for phase in phases for name in self.step.action.permissions.of(phase)})

    def let_only(self, names: Iterable[str]) -> None:
        known = {motos for name in names for motos in MOTOS_NAMES.get(name, (name,))}
        self.account.let(self.who, {*UNRELATED, *known})

    def plan(self) -> ActionPlan:
        return self.step.plan(self.target)

    def draft(self) -> Draft:
        return self.step.draft(self.target)


@pytest.fixture(params=PROOFS.values(), ids=PROOFS.keys())
def stage(request: pytest.FixtureRequest, account: StrictAccount) -> Stage:
    proof: Proof = request.param
    who = account.make_user()
    step = Step(PlaybookAction("step", "aws", {}), proof.action(account.as_user(who)), proof.params)
    target = Target(provider="aws", resource=proof.make(account), account_id=ACCOUNT, region="us-east-1")
    return Stage(account, who, step, target)


def denied(doing: Callable[[], object]) -> None:
    with pytest.raises(PermanentActionError) as caught:
        doing()
    assert caught.value.cause is Cause.DENIED
    assert "countersign playbook permissions" in caught.value.explain()


def test_planning_needs_no_more_than_the_rights_to_plan(stage: Stage) -> None:
    stage.let("plan")
    plan = stage.plan()
    assert plan.is_needed
    denied(lambda: stage.step.action.apply(plan))
    assert stage.step.action.observe(plan) == plan.before


def test_applying_and_putting_back_need_no_more_than_theirs(stage: Stage) -> None:
    stage.let("plan")
    plan = stage.plan()
    stage.let("apply")
    stage.step.action.apply(plan)
    stage.step.action.verify(plan)
    stage.let("rollback")
    stage.step.action.rollback(plan)
    stage.step.action.verify_rollback(plan)


def test_without_the_rights_to_put_back_nothing_is_put_back(stage: Stage) -> None:
    stage.let("apply", "rollback")
    plan = stage.plan()
    stage.step.action.apply(plan)
    stage.let("plan")
    denied(lambda: stage.step.action.rollback(plan))
    assert stage.step.action.observe(plan) == plan.after


def test_every_right_to_plan_is_needed_or_only_advises(stage: Stage) -> None:
    """Without any one of them planning is denied, or goes on and says what it could not read."""
    wanted = stage.step.action.permissions.plan
    stage.let("plan")
    whole = stage.draft()
    for name in wanted:
        stage.let_only(set(wanted) - {name})
        less = draft_if_let(stage)
        assert less is None or advice(less) != advice(whole), name


def advice(draft: Draft) -> tuple[object, ...]:
    return (draft.untouched, draft.notes, draft.tags)


def draft_if_let(stage: Stage) -> Draft | None:
    try:
        return stage.draft()
    except PermanentActionError as error:
        if error.cause is not Cause.DENIED:
            raise
        return None


def test_a_user_without_rights_can_do_nothing(stage: Stage) -> None:
    stage.let_only(())
    denied(stage.plan)
