"""Firewall rules and subnetworks: what is never sent, what is waited for, what happens once."""

from datetime import timedelta
from typing import Any

import pytest

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.gcp.clients import GoogleClients, Patience
from remediation.plan import ActionPlan, Target
from remediation.ports import OWNER_LOST_AFTER
from tests.contract.backends_google import PROJECT, clients_for
from tests.contract.cases.gcp import GoogleCase
from tests.contract.cases.gcp_compute import (
    FirewallCase,
    FirewallLoggingCase,
    FirewallRestrictionCase,
    FlowLogsCase,
)
from tests.fakes.google.server import GoogleCloud

pytestmark = pytest.mark.slow

KINDS: list[type[GoogleCase]] = [FirewallRestrictionCase, FirewallLoggingCase, FlowLogsCase]
PATCH = {
    FirewallRestrictionCase: "firewalls.patch",
    FirewallLoggingCase: "firewalls.patch",
    FlowLogsCase: "subnetworks.patch",
}


@pytest.fixture
def rule(google: GoogleCloud, google_clients: GoogleClients) -> FirewallRestrictionCase:
    return FirewallRestrictionCase(google, google_clients)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest, google: GoogleCloud, google_clients: GoogleClients) -> GoogleCase:
    made: GoogleCase = request.param(google, google_clients)
    made.set_state(made.unsettled)
    return made


def plan_of(case: GoogleCase, **target: Any) -> ActionPlan:
    step = case.registry().resolve(case.written)
    spelled = {"provider": "gcp", "resource": case.resource, "account_id": PROJECT, **target}
    return step.plan(Target(**spelled))


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        ("everybody", {"disabled": True}),
        ("everybody by IPv6", {"disabled": True}),
        ("no source at all", {"disabled": True}),
        ("everybody and a tag", {"disabled": True}),
        ("everybody and an office", {"sourceRanges": ["10.0.0.0/8", "203.0.113.0/24"]}),
        ("disabled, and an office", {"sourceRanges": ["203.0.113.0/24"]}),
    ],
)
def test_only_what_changes_is_sent_and_never_an_empty_list(
    rule: FirewallRestrictionCase, state: str, sent: dict[str, object]
) -> None:
    rule.set_state(state)
    plan, (action, _) = plan_of(rule), rule.action()
    action.apply(plan)
    action.rollback(plan)
    assert rule.cloud.compute.patches[0] == sent
    assert len(rule.cloud.compute.patches) == 2
    assert all(patch not in ({}, {"sourceRanges": []}) for patch in rule.cloud.compute.patches)


def test_emptied_ranges_are_refused_even_by_a_plan(rule: FirewallRestrictionCase) -> None:
    rule.set_state("everybody")
    plan, (action, _) = plan_of(rule), rule.action()
    emptied = ActionPlan.from_dict({**plan.to_dict(), "after": {**plan.before, "Source ranges": []}})
    with pytest.raises(PermanentActionError, match="Could not empty the source ranges"):
        action.apply(emptied)
    assert rule.cloud.compute.patches == []


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"direction": "EGRESS", "destinationRanges": ["0.0.0.0/0"]}, "is about traffic going out"),
        ({"allowed": [], "denied": [{"IPProtocol": "all"}], "sourceRanges": ["0.0.0.0/0"]}, "denies traffic"),
        ({"sourceTags": ["bastion"]}, "lets nobody in but named sources"),
    ],
)
def test_a_rule_that_opens_nothing_is_refused(
    rule: FirewallRestrictionCase, settings: dict[str, Any], why: str
) -> None:
    rule.make_rule(**settings)
    with pytest.raises(PermanentActionError, match=why) as caught:
        plan_of(rule)
    assert caught.value.cause is Cause.INVALID


def test_a_rule_is_found_by_its_number_and_called_by_its_name(rule: FirewallRestrictionCase) -> None:
    rule.make_rule(sourceRanges=["0.0.0.0/0"], targetTags=["web"])
    number = rule.cloud.compute.resources[rule.resource]["id"]
    plan = plan_of(rule, resource=number)
    assert plan.target.resource == rule.resource
    assert "What it allows (tcp:22)" in plan.untouched
    assert "web" in " ".join(plan.notes)


def test_those_who_lose_their_way_in_with_it_are_named(rule: FirewallRestrictionCase) -> None:
    rule.set_state("everybody and a tag")
    assert "bastion lose their way in" in " ".join(plan_of(rule).notes)


def test_an_operation_is_waited_for(case: GoogleCase) -> None:
    case.cloud.compute.polls = 3
    plan, (action, _) = plan_of(case), case.action()
    (operation,) = action.apply(plan)
    assert operation.startswith("operation-")
    action.verify(plan)
    assert [call for call in case.cloud.calls if call.endswith(".wait")] != []


def test_an_operation_that_ends_badly_is_a_failure(case: GoogleCase) -> None:
    case.cloud.compute.operation_error = (412, "Constraint constraints/compute.x violated")
    plan, (action, _) = plan_of(case), case.action()
    with pytest.raises(ActionError, match="constraints/compute.x") as caught:
        action.apply(plan)
    assert caught.value.cause is Cause.DENIED_BY_ORGANIZATION
    assert str(caught.value.request_id).startswith("operation-")
    assert action.observe(plan) == plan.before


def test_an_operation_that_does_not_end_in_time_is_unsettled(case: GoogleCase) -> None:
    case.cloud.compute.polls = 10_000
    plan = plan_of(case)
    case.clients = clients_for(case.cloud, Patience(operation_s=0.3))
    action, _ = case.action()
    with pytest.raises(ActionError, match="takes longer than") as caught:
        action.apply(plan)
    assert caught.value.cause is Cause.TIMED_OUT
    assert caught.value.request_id


def test_a_lost_answer_is_asked_for_again_and_done_once(case: GoogleCase) -> None:
    plan = plan_of(case)
    case.clients = clients_for(case.cloud, Patience(read_s=0.3, total_s=10))
    case.cloud.stall(PATCH[type(case)], after=True)
    action, _ = case.action()
    action.apply(plan)
    action.verify(plan)
    assert case.cloud.calls.count(PATCH[type(case)]) == 2
    assert len(case.cloud.compute.patches) == 1


def test_a_busy_google_is_asked_again(case: GoogleCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    case.cloud.refuse(PATCH[type(case)], 429, "Too many requests", "rateLimitExceeded")
    action.apply(plan)
    action.verify(plan)


def test_a_denied_write_changes_nothing(case: GoogleCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    case.cloud.refuse(PATCH[type(case)], 403, "Required 'compute.firewalls.update' permission", "forbidden")
    with pytest.raises(ActionError, match="Required 'compute") as caught:
        action.apply(plan)
    assert caught.value.cause is Cause.DENIED
    assert action.observe(plan) == plan.before


def test_a_setting_changed_since_the_plan_is_not_overwritten(case: GoogleCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    theirs: dict[str, Any] = {"sourceRanges": ["198.51.100.0/24"]}
    if "logging" in case.action_name or "logs" in case.action_name:
        theirs = {"logConfig": {"enable": True, "metadata": "EXCLUDE_ALL_METADATA"}}
    resource = case.cloud.compute.resources[case.resource]
    resource.update(theirs)
    for write in (action.apply, action.rollback):
        with pytest.raises(ActionError) as caught:
            write(plan)
        assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert case.cloud.compute.patches == []


def test_a_subnetwork_written_meanwhile_is_not_overwritten(
    google: GoogleCloud, google_clients: GoogleClients
) -> None:
    case = FlowLogsCase(google, google_clients)
    case.set_state("off")
    plan, (action, _) = plan_of(case), case.action()

    def touch() -> None:
        google.compute.resources[case.resource]["fingerprint"] = "bmV3ZXI="

    google.meanwhile("subnetworks.patch", touch)
    with pytest.raises(ActionError, match="Invalid fingerprint") as caught:
        action.apply(plan)
    assert caught.value.cause is Cause.CHANGED_MEANWHILE


@pytest.mark.parametrize("purpose", ["REGIONAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT"])
def test_a_subnetwork_without_flow_logs_is_refused(
    google: GoogleCloud, google_clients: GoogleClients, purpose: str
) -> None:
    case = FlowLogsCase(google, google_clients)
    google.compute.add(case.resource, purpose=purpose)
    with pytest.raises(PermanentActionError, match=f"is for {purpose}"):
        plan_of(case)


@pytest.mark.parametrize(
    "wrong", [{"resource": "arn:aws:ec2:x"}, {"provider": "aws"}, {"account_id": "other"}]
)
def test_a_wrong_target_is_refused_before_any_call(case: GoogleCase, wrong: dict[str, str]) -> None:
    case.cloud.calls.clear()
    with pytest.raises(PermanentActionError):
        plan_of(case, **wrong)
    assert case.cloud.calls == []


def test_a_rule_that_is_not_there(rule: FirewallCase) -> None:
    with pytest.raises(PermanentActionError, match="was not found") as caught:
        plan_of(rule)
    assert caught.value.cause is Cause.NOT_FOUND


def test_nobody_is_taken_for_dead_while_an_operation_is_waited_for() -> None:
    patience = Patience()
    assert timedelta(seconds=patience.total_s + patience.operation_s) < OWNER_LOST_AFTER
