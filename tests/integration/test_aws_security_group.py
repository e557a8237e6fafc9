"""Security groups beyond the contract: what else is read, what can get in between, and what a network may lose."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.contract import Draft
from remediation.actions.registry import Step
from remediation.plan import ActionPlan
from tests.contract.cases.aws_security_group import (
    V4,
    V6,
    ReplacedAccessCase,
    SecurityGroupCase,
    allow,
)
from tests.contract.cases.contract import OneClient, aws_registry
from tests.fakes.cloud_proxy import CloudProxy, ec2_error, lost

pytestmark = pytest.mark.slow

REVOKE, AUTHORIZE, RULES = (
    "RevokeSecurityGroupIngress",
    "AuthorizeSecurityGroupIngress",
    "DescribeSecurityGroupRules",
)


@pytest.fixture
def case(ec2: Any, security_group: str) -> SecurityGroupCase:
    made = SecurityGroupCase(ec2, security_group)
    made.set_state("open")
    return made


@pytest.fixture
def replaced(ec2: Any, security_group: str) -> ReplacedAccessCase:
    made = ReplacedAccessCase(ec2, security_group)
    made.set_state("all traffic")
    return made


@pytest.fixture
def proxy(moto_endpoint: str) -> Iterator[CloudProxy]:
    with CloudProxy.before(moto_endpoint) as running:
        yield running


def step_of(case: SecurityGroupCase, client: Any = None) -> Step:
    return aws_registry(OneClient(client or case.ec2)).resolve(case.written)


def draft_of(case: SecurityGroupCase) -> Draft:
    step = step_of(case)
    return step.action.plan(case.target(), step.params)


def inbound(case: SecurityGroupCase) -> set[tuple[object, ...]]:
    return {
        (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule.get("CidrIpv4") or rule.get("CidrIpv6"))
        for rule in case.rules()
        if not rule["IsEgress"]
    }


def test_a_plan_names_each_offending_rule_with_its_words_and_all_that_stays(case: SecurityGroupCase) -> None:
    draft = draft_of(case)
    assert draft.before == {
        "tcp 22 from 0.0.0.0/0": "allowed",
        "tcp 22 from 0.0.0.0/0: description": "from: anywhere - ssh",
        "tcp 22 from 0.0.0.0/0: tag Name": "ssh",
        "tcp 22 from 0.0.0.0/0: tag Owner": "ops: team",
        "tcp 22 from ::/0": "allowed",
        "tcp 22 from ::/0: description": "ssh",
        "tcp 3389 from 0.0.0.0/0": "allowed",
    }
    assert draft.after == {}
    kept = (
        "tcp 22 from 10.0.0.0/8",
        "tcp 3389 from pl-12345678",
        f"tcp 22 from {case.group}",
        "tcp 443 from 0.0.0.0/0",
    )
    assert {*kept, "Outbound rules"} <= set(draft.untouched)
    assert draft.notes == ("No network interface uses the group.",)


def test_a_rule_that_covers_more_is_said_to(case: SecurityGroupCase) -> None:
    case.set_state("ranges")
    notes = " ".join(draft_of(case).notes)
    for rule in ("tcp 20-25 from 0.0.0.0/0", "tcp 0-65535 from ::/0", "tcp 3389-4000 from 0.0.0.0/0"):
        assert f"“{rule}” covers more than 22, 3389" in notes
    case.set_state("all traffic")
    assert "“all traffic from ::/0” covers more" in " ".join(draft_of(case).notes)


def test_what_is_attached_is_counted_and_some_of_it_named(case: SecurityGroupCase, ec2: Any) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = [
        ec2.create_network_interface(SubnetId=subnet, Groups=[case.group], Description=f"web {number}")
        for number in range(7)
    ]
    note = draft_of(case).notes[-1]
    assert note.startswith("Network interfaces in the group: 7 (")
    assert note.endswith(" and 2 more).")
    named = [
        one["NetworkInterface"]["NetworkInterfaceId"]
        for one in made
        if one["NetworkInterface"]["NetworkInterfaceId"] in note
    ]
    assert len(named) == 5
    assert "web" in note


def test_without_the_right_to_read_interfaces_there_still_is_a_plan(
    case: SecurityGroupCase, proxy: CloudProxy
) -> None:
    proxy.answer_instead("DescribeNetworkInterfaces", ec2_error("UnauthorizedOperation", 403))
    plan = step_of(case, proxy.client()).plan(case.target())
    assert plan.notes == ("What is attached to the group could not be read.",)
    assert plan.is_needed


def test_many_rules_are_not_all_listed(case: SecurityGroupCase) -> None:
    case.set_state("closed")
    for number in range(30):
        rule = allow("tcp", 22, 22, f"10.1.{number}.0/24")
        case.ec2.authorize_security_group_ingress(GroupId=case.group, **rule)
    untouched = draft_of(case).untouched
    assert len(untouched) == 22
    assert untouched[-2:] == ("19 more inbound rules", "Outbound rules")


def test_who_comes_instead_gets_in_first_and_nobody_gets_in_twice(
    replaced: ReplacedAccessCase, proxy: CloudProxy
) -> None:
    replaced.set_state("open")
    step = step_of(replaced, proxy.client())
    plan = step.plan(replaced.target())
    assert {name for name in plan.after if ": " not in name} == {
        "tcp 22 from 203.0.113.0/24",
        "tcp 22 from 2001:db8::/32",
    }
    before = len(proxy.calls)
    step.action.apply(plan)
    writes = [call for call in proxy.calls[before:] if not call.startswith("Describe")]
    assert writes == [AUTHORIZE, AUTHORIZE, REVOKE, REVOKE]
    assert {("tcp", 22, 22, "203.0.113.0/24"), ("tcp", 22, 22, "10.0.0.0/8")} <= inbound(replaced)


def test_access_of_all_traffic_is_replaced_by_access_of_all_traffic(replaced: ReplacedAccessCase) -> None:
    step = step_of(replaced)
    step.action.apply(step.plan(replaced.target()))
    assert ("-1", -1, -1, "203.0.113.0/24") in inbound(replaced)
    assert ("-1", -1, -1, V4) not in inbound(replaced)


def test_when_the_replacement_is_refused_nothing_is_revoked(
    replaced: ReplacedAccessCase, proxy: CloudProxy
) -> None:
    step = step_of(replaced, proxy.client())
    plan, before = step.plan(replaced.target()), replaced.read_raw()
    proxy.answer_instead(AUTHORIZE, ec2_error("RulesPerSecurityGroupLimitExceeded"))
    with pytest.raises(PermanentActionError, match="Could not authorize all traffic from 203.0.113.0/24"):
        step.action.apply(plan)
    assert replaced.read_raw() == before


def test_a_group_that_is_gone_is_not_one_without_rules(case: SecurityGroupCase) -> None:
    step = step_of(case)
    plan = step.plan(case.target())
    case.ec2.delete_security_group(GroupId=case.group)
    for phase in (step.action.observe, step.action.apply, step.action.verify, step.action.rollback):
        with pytest.raises(PermanentActionError) as caught:
            phase(plan)
        assert caught.value.cause is Cause.NOT_FOUND


def test_a_rule_gone_at_the_last_moment_is_closed_all_the_same(
    case: SecurityGroupCase, proxy: CloudProxy
) -> None:
    step = step_of(case, proxy.client())
    plan = step.plan(case.target())
    proxy.answer_instead(REVOKE, ec2_error("InvalidSecurityGroupRuleId.NotFound"))
    assert len(step.action.apply(plan)) == 2
    proxy.answer_instead(REVOKE, ec2_error("InvalidPermission.NotFound"))
    step.action.apply(plan)
    step.action.apply(plan)
    step.action.verify(plan)


def test_an_answer_lost_on_the_way_is_asked_for_again_and_found_done(
    case: SecurityGroupCase, proxy: CloudProxy
) -> None:
    step, original = step_of(case, proxy.client(attempts=3)), case.read_raw()
    plan = step.plan(case.target())
    proxy.next_time(REVOKE, lost)
    step.action.apply(plan)
    step.action.verify(plan)
    proxy.next_time(AUTHORIZE, lost)
    step.action.rollback(plan)
    step.action.verify_rollback(plan)
    assert case.read_raw() == original


def test_throttling_is_waited_out(case: SecurityGroupCase, proxy: CloudProxy) -> None:
    step = step_of(case, proxy.client(attempts=3))
    proxy.answer_instead(RULES, ec2_error("RequestLimitExceeded", 503))
    plan = step.plan(case.target())
    proxy.answer_instead(
        REVOKE, ec2_error("RequestLimitExceeded", 503), ec2_error("RequestLimitExceeded", 503)
    )
    step.action.apply(plan)
    step.action.verify(plan)


def test_throttling_without_end_is_explained(case: SecurityGroupCase, proxy: CloudProxy) -> None:
    step = step_of(case, proxy.client())
    plan = step.plan(case.target())
    proxy.answer_instead(REVOKE, ec2_error("RequestLimitExceeded", 503))
    with pytest.raises(TemporaryActionError) as caught:
        step.action.apply(plan)
    assert caught.value.cause is Cause.THROTTLED
    assert "Could not revoke tcp 22 from" in caught.value.explain()


def test_a_page_that_is_not_aws_is_no_bug(case: SecurityGroupCase, proxy: CloudProxy) -> None:
    proxy.answer_instead(RULES, (502, b"<!doctype html><title>Bad gateway</title><p>secret"))
    with pytest.raises(TemporaryActionError) as caught:
        step_of(case, proxy.client()).plan(case.target())
    assert caught.value.cause is Cause.UNAVAILABLE
    assert "secret" not in caught.value.explain()


def test_ec2s_encoded_message_is_left_out_of_a_denial(case: SecurityGroupCase, proxy: CloudProxy) -> None:
    text = (
        "You are not authorized to perform this operation. Encoded authorization failure message: "
        + "x" * 900
    )
    proxy.answer_instead(RULES, ec2_error("UnauthorizedOperation", 403, text))
    with pytest.raises(PermanentActionError) as caught:
        step_of(case, proxy.client()).plan(case.target())
    assert caught.value.cause is Cause.DENIED
    assert "xxx" not in caught.value.explain()
    assert caught.value.request_id == "req-1"


def test_a_write_that_ec2_says_it_did_not_do_is_a_failure(case: SecurityGroupCase, proxy: CloudProxy) -> None:
    step = step_of(case, proxy.client())
    plan = step.plan(case.target())
    said_no = b"<RevokeSecurityGroupIngressResponse><requestId>r</requestId><return>false</return></RevokeSecurityGroupIngressResponse>"
    proxy.answer_instead(REVOKE, (200, said_no))
    with pytest.raises(ActionError, match="did not"):
        step.action.apply(plan)


def page(*rules: str, token: str = "") -> tuple[int, bytes]:
    after = f"<nextToken>{token}</nextToken>" if token else ""
    body = f"<DescribeSecurityGroupRulesResponse><securityGroupRuleSet>{''.join(rules)}</securityGroupRuleSet>{after}</DescribeSecurityGroupRulesResponse>"
    return 200, body.encode()


def item(rule_id: str, source: str) -> str:
    kind = "cidrIpv6" if ":" in source else "cidrIpv4"
    return (
        f"<item><securityGroupRuleId>{rule_id}</securityGroupRuleId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>"
        f"<fromPort>22</fromPort><toPort>22</toPort><{kind}>{source}</{kind}></item>"
    )


def test_all_pages_are_read(case: SecurityGroupCase, proxy: CloudProxy) -> None:
    proxy.answer_instead(RULES, page(item("sgr-1", V4), token="more"), page(item("sgr-2", V6)))
    plan = step_of(case, proxy.client()).plan(case.target())
    assert plan.before == {"tcp 22 from 0.0.0.0/0": "allowed", "tcp 22 from ::/0": "allowed"}
    assert proxy.calls.count(RULES) == 2


def test_ids_are_no_part_of_what_is_signed_and_compared(case: SecurityGroupCase) -> None:
    step = step_of(case)
    plan = step.plan(case.target())
    step.action.apply(plan)
    step.action.rollback(plan)
    assert step.plan(case.target()) == plan
    assert "sgr-" not in str(plan.to_dict())


def test_another_description_is_another_state(case: SecurityGroupCase) -> None:
    step = step_of(case)
    plan = step.plan(case.target())
    told = allow("tcp", 22, 22, V4, "mine now")["IpPermissions"]
    case.ec2.update_security_group_rule_descriptions_ingress(GroupId=case.group, IpPermissions=told)
    assert step.action.observe(plan) != plan.before


def test_a_later_plan_stands_by_itself(case: SecurityGroupCase) -> None:
    """A plan that came back from storage, in another process, is enough to put everything back."""
    original, step = case.read_raw(), step_of(case)
    stored = ActionPlan.from_dict(step.plan(case.target()).to_dict())
    step_of(case).action.apply(stored)
    step_of(case).action.rollback(replace(stored, notes=()))
    assert case.read_raw() == original
