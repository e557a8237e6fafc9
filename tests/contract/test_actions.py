"""The contract every action keeps: the plan only reads, apply then verify holds, twice is harmless, rollback is exact."""

import inspect
import re
from typing import Any

import pytest
import yaml

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.contract import Action, Params
from remediation.plan import ActionPlan, Plan, Target
from remediation.playbook import CLOUDS, PlaybookAction
from tests.contract.cases import all_cases
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.contract.cases.contract import ActionCase, OneClient, ReadOnly, aws_registry

# Each plays many calls of a real server: of these, all states but the first are left to `make test-all`.
LONG = {"EncryptedCopyCase", "FlowLogsCase", "FirewallRestrictionCase", "RotateKeyCase"}
STATES = [
    pytest.param((kind, state), marks=[pytest.mark.slow] if number and kind.__name__ in LONG else [])
    for kind in all_cases()
    for number, state in enumerate(kind.states)
]
UNSETTLED = [(kind, kind.unsettled) for kind in all_cases()]
# What the clouds' own roles call a permission.
PERMISSIONS = {
    "aws": r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+",
    "gcp": r"[a-z]+(?:\.[a-zA-Z]+){2}",
    "azure": r"Microsoft\.[A-Z][A-Za-z]+(?:/[a-z][A-Za-z]+)+/(?:read|write|delete|action)",
}
ALL_ACTIONS = aws_registry(OneClient(None)).actions()


@pytest.fixture
def case(request: pytest.FixtureRequest) -> ActionCase:
    kind, state = request.param
    made: ActionCase = kind.prepare(request)
    made.set_state(state)
    return made


def named(value: tuple[type[ActionCase], str]) -> str:
    return f"{value[0].__name__}-{value[1]}"


def plan_of(case: ActionCase) -> ActionPlan:
    return case.registry().resolve(case.written).plan(case.target())


@pytest.mark.parametrize("case", STATES, indirect=True, ids=named)
def test_plan_and_observe_only_read(case: ActionCase) -> None:
    before = case.read_raw()
    step = case.registry(wrap=ReadOnly).resolve(case.written)
    plan = step.plan(case.target())
    assert step.action.observe(plan) == plan.before
    assert case.read_raw() == before


@pytest.mark.parametrize("case", STATES, indirect=True, ids=named)
def test_apply_then_verify_holds_and_twice_is_harmless(case: ActionCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    action.apply(plan)
    action.verify(plan)
    once = case.read_raw()
    action.apply(plan)
    action.verify(plan)
    assert case.read_raw() == once


@pytest.mark.parametrize("case", STATES, indirect=True, ids=named)
def test_rollback_restores_exactly_and_twice_is_harmless(case: ActionCase) -> None:
    original, plan, (action, _) = case.read_raw(), plan_of(case), case.action()
    action.apply(plan)
    if not action.reversible:
        with pytest.raises(PermanentActionError, match="cannot be put back"):
            action.rollback(plan)
        return
    for _ in range(2):
        action.rollback(plan)
        action.verify_rollback(plan)
        assert case.read_raw() == original


@pytest.mark.parametrize("case", UNSETTLED, indirect=True, ids=named)
def test_verify_fails_when_the_write_did_not_happen(case: ActionCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    with pytest.raises(PermanentActionError, match="is .*, not "):
        action.verify(plan)


@pytest.mark.parametrize("case", STATES, indirect=True, ids=named)
def test_a_plan_survives_storage(case: ActionCase) -> None:
    plan = plan_of(case)
    assert ActionPlan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize("action", ALL_ACTIONS, ids=lambda action: action.key)
def test_every_action_declares_what_it_is(action: Action[Any]) -> None:
    assert issubclass(action.params_model, Params)
    assert isinstance(action.reversible, bool)
    assert isinstance(action.idempotent, bool)
    for phase in (action.permissions.plan, action.permissions.apply, action.permissions.rollback):
        assert all(re.fullmatch(PERMISSIONS[action.action_type], name) for name in phase)
    assert bool(action.permissions.plan) == (action.action_type in CLOUDS)
    assert action.effect == "change" or not action.reversible
    assert bool(action.permissions.rollback) == action.reversible


@pytest.mark.parametrize("action", ALL_ACTIONS, ids=lambda action: action.key)
def test_every_docstring_example_is_a_step_we_can_do(action: Action[Any]) -> None:
    doc = inspect.getdoc(type(action)) or ""
    example = re.search(r"```yaml\n(.*?)```", doc, re.DOTALL)
    assert example, "an action shows how it is written"
    step = aws_registry(OneClient(None)).resolve(
        PlaybookAction(**yaml.safe_load(inspect.cleandoc(example[1])))
    )
    assert type(step.action) is type(action)


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "arn:aws:ec2:us-east-1:123456789012:instance/i-1",
        "arn:aws:s3:::UPPER",
        "arn:aws:s3:::a/b",
        "x" * 500,
    ],
)
def test_what_is_no_bucket_is_refused_before_any_call(resource: str) -> None:
    case = S3PublicAccessCase(None, "unused")
    target = Target(provider="aws", resource=resource, account_id="123456789012", region="us-east-1")
    with pytest.raises(PermanentActionError, match="not an S3 bucket"):
        case.registry().resolve(case.written).plan(target)


def test_every_call_names_the_account_that_must_own_the_bucket(s3: Any, bucket: str) -> None:
    owners: list[object] = []

    class Recording:
        def __init__(self, client: Any) -> None:
            self._client = client
            self.exceptions = client.exceptions

        def __getattr__(self, name: str) -> Any:
            def call(**arguments: object) -> Any:
                owners.append(arguments.get("ExpectedBucketOwner"))
                return getattr(self._client, name)(**arguments)

            return call

    case = S3PublicAccessCase(s3, bucket)
    step = case.registry(wrap=Recording).resolve(case.written)
    plan = step.plan(case.target())
    step.action.apply(plan)
    step.action.verify(plan)
    step.action.rollback(plan)
    assert len(owners) > 5
    assert set(owners) == {"123456789012"}


def test_the_digest_covers_what_was_seen_and_not_the_advice(s3: Any, bucket: str) -> None:
    case = S3PublicAccessCase(s3, bucket)

    def digest() -> str:
        plan = plan_of(case)
        return Plan(
            playbook_id="P", playbook_version="1", policy_digest="2", finding_id="F", actions=(plan,)
        ).digest

    first = digest()
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert digest() == first
    case.set_state("all off")
    assert digest() != first


def test_a_finding_without_an_account_is_planned_for_the_credentials_own(s3: Any, bucket: str) -> None:
    case = S3PublicAccessCase(s3, bucket)
    target = Target(provider="aws", resource=f"arn:aws:s3:::{bucket}", region="us-east-1")
    plan = case.registry().resolve(case.written).plan(target)
    assert plan.target.account_id == "123456789012"


def test_and_refused_where_the_credentials_account_is_not_known(s3: Any, bucket: str) -> None:
    registry = aws_registry(Boto3Clients({"s3": s3}))
    target = Target(provider="aws", resource=f"arn:aws:s3:::{bucket}", region="us-east-1")
    with pytest.raises(PermanentActionError) as caught:
        registry.resolve(S3PublicAccessCase.written).plan(target)
    assert caught.value.cause is Cause.WRONG_ACCOUNT
