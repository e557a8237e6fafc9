"""A resource has one name, however scanners spell it: for what is held, and for what came later."""

from dataclasses import replace

import pytest

from audit.errors import RefusedError
from audit.findings import Finding, Severity
from remediation.actions.contract import Draft
from remediation.memory import MemoryExecutions
from remediation.plan import ActionPlan, Effect, Plan, Target
from remediation.resource_key import resource_key
from tests.fakes.switches import (
    ANA,
    OMAR,
    OTTO,
    Bench,
    Switch,
    Switchboard,
    SwitchParams,
    door_finding,
    door_playbook,
)

ACCOUNT = "123456789012"
SUBSCRIPTION = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/rg"
FIREWALL = "projects/acme/global/firewalls/allow-ssh"


def a_finding(
    resource: str, *, provider: str = "aws", account: str = ACCOUNT, region: str = "us-east-1"
) -> Finding:
    return Finding(
        id="F-1",
        title="It is open",
        severity=Severity.HIGH,
        resource=resource,
        provider=provider,
        account_id=account,
        region=region,
    )


def a_plan(*resources: str, provider: str = "aws", account: str = ACCOUNT, effect: Effect = "change") -> Plan:
    return Plan(
        playbook_id="P",
        playbook_version="",
        policy_digest="",
        finding_id="F-1",
        actions=tuple(
            ActionPlan(
                action_name="fix",
                action="fix",
                target=Target(provider=provider, resource=name, account_id=account, region="us-east-1"),
                params={},
                before={},
                after={},
                reversible=True,
                idempotent=True,
                effect=effect,
            )
            for name in resources
        ),
    )


def only(names: set[str]) -> str:
    (name,) = names
    return name


@pytest.mark.parametrize(
    "spelled",
    [
        "acme-logs",
        "ACME-logs ",
        "arn:aws:s3:::acme-logs",
        "arn:aws:s3:::acme-logs/",
        " arn:aws:s3:::Acme-Logs",
    ],
)
def test_a_bucket_is_one_by_name_and_by_arn(spelled: str) -> None:
    """The action names the bucket by its ARN, whatever the finding says."""
    assert resource_key(a_finding(spelled), a_plan("arn:aws:s3:::acme-logs")) == "arn:aws:s3:::acme-logs"


def test_an_id_of_ec2_is_one_alone_and_in_an_arn() -> None:
    group = "sg-0123456789abcdef0"
    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{group}"
    bare = a_finding(group)
    named = {
        resource_key(bare, None),
        resource_key(bare, a_plan(group)),
        resource_key(a_finding(arn, account="", region=""), None),
        resource_key(a_finding(arn), a_plan(arn)),
        # The action finds out in which account it is, where the finding does not say.
        resource_key(a_finding(group, account=""), a_plan(group)),
    }
    assert only(named).endswith(group)
    elsewhere = a_finding(group, region="eu-west-1")
    assert resource_key(elsewhere, None) not in named


def test_an_account_is_one_by_its_number_and_by_its_names() -> None:
    spelled = [
        ACCOUNT,
        f"AWS::::Account:{ACCOUNT}",
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:s3:us-east-1:{ACCOUNT}:account",
    ]
    assert only({resource_key(a_finding(name), None) for name in spelled})
    assert resource_key(a_finding("210987654321"), None) != resource_key(a_finding(ACCOUNT), None)


def test_a_firewall_of_google_is_one_by_each_of_its_names() -> None:
    spelled = [
        "allow-ssh",
        FIREWALL,
        f"//compute.googleapis.com/{FIREWALL}",
        f"https://www.googleapis.com/compute/v1/{FIREWALL}",
    ]
    plan = a_plan(FIREWALL, provider="gcp", account="acme")
    findings = [a_finding(name, provider="gcp", account="acme", region="global") for name in spelled]
    assert {resource_key(finding, plan) for finding in findings} == {FIREWALL}


def test_azure_is_asked_in_any_case() -> None:
    arm_id = f"{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts/acme"
    spelled = [arm_id, arm_id.lower(), arm_id.upper(), f"{arm_id}/"]
    named = {
        resource_key(a_finding(name, provider="azure"), a_plan(name, provider="azure")) for name in spelled
    }
    assert only(named) == arm_id.lower()


def test_what_an_action_makes_besides_is_not_the_resource() -> None:
    """A new trail of an account, and the fix of another thing: both are about the account, and one at a time works on it."""
    account = a_finding(f"arn:aws:iam::{ACCOUNT}:root")
    trail = a_plan(f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/ours")
    assert resource_key(account, trail) == resource_key(account, None)


def test_a_message_names_no_resource() -> None:
    told = a_plan("arn:aws:sns:us-east-1:1:topic/acme-logs", effect="message")
    assert resource_key(a_finding("acme-logs"), told) == resource_key(a_finding("acme-logs"), None)


def test_a_bare_name_is_its_own_in_its_place() -> None:
    here = a_finding("prod")
    others = [
        replace(here, account_id="2"),
        replace(here, region="eu-west-1"),
        replace(here, provider="gcp"),
        replace(here, resource="prod-2"),
    ]
    assert resource_key(here, None) not in {resource_key(other, None) for other in others}
    assert resource_key(a_finding("  /"), None) == ""


class NamingSwitch(Switch):
    """A switch that knows its door by one name, as actions do that find a bucket by its name and by its ARN."""

    def plan(self, target: Target, params: SwitchParams) -> Draft:
        draft = super().plan(target, params)
        return replace(draft, target=replace(target, resource="arn:board:door"))


@pytest.fixture
def bench() -> Bench:
    board = Switchboard()
    return Bench(MemoryExecutions(), board=board, others=(NamingSwitch(board),))


@pytest.mark.parametrize("spelled", ["door", "board:DOOR", "arn:board:door/"])
def test_a_fix_under_another_spelling_joins_the_one_under_way(bench: Bench, spelled: str) -> None:
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    again = replace(door_finding(), id="F-2", resource=spelled)
    assert bench.remediation.request(door_playbook(), again, OTTO).execution_id == first.execution_id


@pytest.mark.parametrize("spelled", ["door", "board:DOOR", "arn:board:door/"])
def test_a_later_fix_under_another_spelling_is_not_undone(bench: Bench, spelled: str) -> None:
    def fixed(resource: str) -> str:
        asked = bench.remediation.request(door_playbook(), replace(door_finding(), resource=resource), ANA)
        bench.remediation.approve(asked.execution_id, OMAR)
        bench.runner.run(asked.execution_id)
        return asked.execution_id

    first = fixed("board/door")
    bench.board.switches["door"] = "open"
    second = fixed(spelled)
    with pytest.raises(RefusedError, match=second):
        bench.runner.roll_back(first, OMAR)
    assert bench.board.switches == {"door": "closed"}
