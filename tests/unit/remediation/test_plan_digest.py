"""What a signature covers: all of a plan that people rely on, field by field, and no advice."""

from dataclasses import fields, replace

import pytest

from remediation.plan import ActionPlan, Plan, Target

TARGET = Target(provider="aws", resource="arn:aws:s3:::logs", account_id="1", region="us-east-1")
ACTION = ActionPlan(
    action_name="block",
    action="aws:s3:put-public-access-block",
    target=TARGET,
    params={"BlockPublicAcls": True},
    before={"BlockPublicAcls": False},
    after={"BlockPublicAcls": True},
    reversible=True,
    idempotent=True,
)
PLAN = Plan(
    playbook_id="AWS-PUBLIC-S3",
    playbook_version="a" * 64,
    policy_digest="b" * 64,
    finding_id="F-1",
    actions=(ACTION,),
)
ADVICE = {"untouched": ("Everything else",), "notes": ("It serves a website",)}
OTHERWISE: dict[str, object] = {
    "action_name": "block_it",
    "action": "aws:s3:delete-bucket",
    "params": {"BlockPublicAcls": False},
    "before": {"BlockPublicAcls": None},
    "after": {"BlockPublicAcls": False},
    "reversible": False,
    "idempotent": False,
    "effect": "message",
}


@pytest.mark.parametrize("field", [field.name for field in fields(ActionPlan) if field.name != "target"])
def test_an_action_is_signed_but_for_its_advice(field: str) -> None:
    changed = replace(ACTION, **{field: {**OTHERWISE, **ADVICE}[field]})  # type: ignore[arg-type]
    assert (replace(PLAN, actions=(changed,)).digest == PLAN.digest) is (field in ADVICE)


@pytest.mark.parametrize("field", [field.name for field in fields(Target)])
def test_where_it_acts_is_signed(field: str) -> None:
    elsewhere = replace(ACTION, target=replace(TARGET, **{field: "another"}))
    assert replace(PLAN, actions=(elsewhere,)).digest != PLAN.digest


@pytest.mark.parametrize("field", [field.name for field in fields(Plan) if field.name != "actions"])
def test_the_playbooks_text_the_rules_and_the_finding_are_signed(field: str) -> None:
    assert replace(PLAN, **{field: "another"}).digest != PLAN.digest  # type: ignore[arg-type]


def test_which_actions_and_in_which_order_is_signed() -> None:
    second = replace(ACTION, action_name="second")
    orders = [(ACTION,), (ACTION, second), (second, ACTION), (ACTION, ACTION)]
    assert len({replace(PLAN, actions=order).digest for order in orders}) == len(orders)


def test_not_set_is_signed_as_something_else_than_off() -> None:
    states: list[dict[str, object]] = [{"x": None}, {"x": False}, {"x": "False"}, {"x": 0}, {}]
    plans = {replace(PLAN, actions=(replace(ACTION, before=state),)).digest for state in states}
    assert len(plans) == len(states)
