"""What each action on Azure does beside the contract: who is told what, which rules are meant, what is never touched."""

from typing import Any

import pytest

from audit.errors import ActionError, Cause, InputError, PermanentActionError
from remediation.actions.azure.flow_logs import name_of_ours
from remediation.actions.azure.nsg_rules import Question, close, is_open, lets_internet_in
from remediation.plan import ActionPlan, Target
from remediation.playbook import PlaybookAction
from tests.contract.backends_azure import (
    ACCOUNT_ID,
    CONTAINERS,
    NETWORK_ID,
    NSG_ID,
    SUBSCRIPTION,
    WATCHER_ID,
    add_account,
    add_flow_log,
    add_group,
    add_networks,
    azure_registry,
)
from tests.contract.cases.azure import step
from tests.fakes.arm import ArmStandIn, Fault

pytestmark = pytest.mark.slow

BLOB = step("storage", "restrict-blob-access")
SSH = step("network", "restrict-nsg-rule", ports=[22], protocol="Tcp")
FLOW = step("network", "enable-vnet-flow-logs", storage_account=ACCOUNT_ID)
KEY = step("storage", "regenerate-key", key="key1")
OTHER_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


class Azure:
    """Plans and runs steps on a stand-in."""

    def __init__(self, arm: ArmStandIn, clients: Any) -> None:
        self.arm, self.world = arm, arm.world
        self.registry = azure_registry(clients)

    def plan(self, written: PlaybookAction, resource: str, account: str = SUBSCRIPTION) -> ActionPlan:
        target = Target(provider="azure", resource=resource, account_id=account)
        return self.registry.resolve(written).plan(target)

    def action(self, written: PlaybookAction) -> Any:
        return self.registry.resolve(written).action

    def properties(self, resource: str) -> Any:
        return (self.world.get(resource) or {})["properties"]


@pytest.fixture
def azure(arm: ArmStandIn, azure_clients: Any) -> Azure:
    return Azure(arm, azure_clients)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (BLOB, NSG_ID),
        (SSH, ACCOUNT_ID),
        (FLOW, ACCOUNT_ID),
        (KEY, f"{CONTAINERS}/exports"),
        (BLOB, "arn:aws:s3:::acme"),
        (BLOB, "//storage.googleapis.com/acme"),
        (BLOB, ""),
        (BLOB, f"{ACCOUNT_ID}/../other"),
        (BLOB, ACCOUNT_ID.replace(SUBSCRIPTION, "prod")),
        (SSH, f"{NSG_ID}/securityRules"),
        (KEY, "x" * 5000),
    ],
)
def test_what_it_is_not_for_is_refused_before_any_call(
    azure: Azure, written: PlaybookAction, wrong: str
) -> None:
    with pytest.raises(PermanentActionError, match="not an Azure resource id|, not a ") as caught:
        azure.plan(written, wrong)
    assert caught.value.cause is Cause.INVALID
    assert len(caught.value.explain()) < 800
    assert azure.arm.asked == []


@pytest.mark.parametrize("written", [BLOB, SSH, FLOW, KEY])
def test_another_subscription_than_the_findings_is_refused_before_any_call(
    azure: Azure, written: PlaybookAction
) -> None:
    resource = {"storage": ACCOUNT_ID, "network": NSG_ID}[str(written.params["service"])]
    with pytest.raises(PermanentActionError) as caught:
        azure.plan(written, NETWORK_ID if written is FLOW else resource, OTHER_SUBSCRIPTION)
    assert caught.value.cause is Cause.WRONG_ACCOUNT
    assert azure.arm.asked == []


def test_a_subscriptions_name_is_replaced_by_its_id(azure: Azure) -> None:
    add_account(azure.world)
    assert azure.plan(BLOB, ACCOUNT_ID, "Production").target.account_id == SUBSCRIPTION


def test_the_card_names_the_containers_that_are_public(azure: Azure) -> None:
    add_account(azure.world)
    plan = azure.plan(BLOB, ACCOUNT_ID)
    assert plan.untouched[:2] == (
        "Container exports (level Container)",
        "Container website (level Blob)",
    )


def test_containers_that_cannot_be_listed_hold_nothing_up(azure: Azure) -> None:
    add_account(azure.world)
    azure.world.faults.append(Fault("container list", 403, "AuthorizationFailed"))
    assert "could not be read" in azure.plan(BLOB, ACCOUNT_ID).untouched[0]


def test_an_account_that_never_said_counts_as_on_and_is_put_back_in_words(azure: Azure) -> None:
    add_account(azure.world, switch=None)
    plan = azure.plan(BLOB, ACCOUNT_ID)
    assert plan.before == {"allow_blob_public_access": True}
    assert "never said" in plan.notes[0]
    azure.action(BLOB).apply(plan)
    azure.action(BLOB).rollback(plan)
    assert azure.properties(ACCOUNT_ID)["allowBlobPublicAccess"] is True


def test_a_container_cannot_be_opened_again_while_its_account_is_shut(azure: Azure) -> None:
    add_account(azure.world)
    plan = azure.plan(BLOB, f"{CONTAINERS}/exports")
    azure.action(BLOB).apply(plan)
    azure.world.put(ACCOUNT_ID, {"location": "westeurope", "properties": {"allowBlobPublicAccess": False}})
    with pytest.raises(ActionError, match="PublicAccessNotPermitted"):
        azure.action(BLOB).rollback(plan)


@pytest.mark.parametrize(
    ("rule", "question", "is_meant"),
    [
        ({}, Question(ports=(22,)), True),
        ({"destinationPortRange": "20-30"}, Question(ports=(22,)), True),
        ({"destinationPortRange": "*"}, Question(ports=(22,)), True),
        ({"destinationPortRange": "222"}, Question(ports=(22,)), False),
        ({"destinationPortRange": None, "destinationPortRanges": ["80", "22"]}, Question(ports=(22,)), True),
        ({"protocol": "UDP"}, Question(protocol="Udp"), True),
        ({"protocol": "*"}, Question(protocol="Udp"), True),
        ({"protocol": "Icmp"}, Question(protocol="Udp"), False),
        ({"access": "Deny"}, Question(), False),
        ({"direction": "outbound"}, Question(), False),
        ({"sourceAddressPrefix": "VirtualNetwork"}, Question(), False),
        ({"sourceAddressPrefix": "internet"}, Question(), True),
        ({"sourceAddressPrefix": None, "sourceAddressPrefixes": ["10.0.0.0/8", "::/0"]}, Question(), True),
    ],
)
def test_which_rules_are_meant(rule: dict[str, object], question: Question, is_meant: bool) -> None:
    usual = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "*"}
    assert lets_internet_in({**usual, "destinationPortRange": "22", **rule}, question) is is_meant


@pytest.mark.parametrize("source", ["*", "Internet", "0.0.0.0/0", "::/0", "1.2.3.4/0", "Any"])
def test_everybody_is_spelled_in_many_ways(source: str) -> None:
    assert is_open(source)


@pytest.mark.parametrize("source", ["10.0.0.0/8", "AzureLoadBalancer", "1.2.3.4", "VirtualNetwork"])
def test_and_somebody_is_not_everybody(source: str) -> None:
    assert not is_open(source)


def test_closing_keeps_other_sources_and_never_leaves_none() -> None:
    beside = {"access": "Allow", "sourceAddressPrefix": None, "sourceAddressPrefixes": ["*", "10.0.0.0/8"]}
    assert close(beside, []) == {
        "access": "Allow",
        "sourceAddressPrefix": "10.0.0.0/8",
        "sourceAddressPrefixes": None,
    }
    only = {"access": "Allow", "sourceAddressPrefix": "*", "sourceAddressPrefixes": None}
    assert close(only, []) == {**only, "access": "Deny", "sourceAddressPrefix": "Internet"}


def test_only_what_is_meant_is_written(azure: Azure) -> None:
    add_group(azure.world, {"ssh": {}, "web": {"destinationPortRange": "443"}, "dns": {"protocol": "Udp"}})
    plan = azure.plan(SSH, NSG_ID)
    assert {setting for setting in plan.before if setting.endswith(" access")} == {"ssh access"}
    assert plan.untouched[0] == "2 other rules (dns, web)"
    assert "Protects 1 interface: web-1-nic" in plan.notes
    azure.action(SSH).apply(plan)
    assert azure.arm.asked.count("rule put") == 1


def test_a_rule_that_changes_between_reading_and_writing_is_not_overwritten(azure: Azure) -> None:
    add_group(azure.world, {"ssh": {}})
    plan = azure.plan(SSH, NSG_ID)
    described = {"properties": {**azure.properties(f"{NSG_ID}/securityRules/ssh"), "description": "by hand"}}
    azure.world.meanwhile["rule put"] = lambda: azure.world.put(f"{NSG_ID}/securityRules/ssh", described)
    with pytest.raises(ActionError, match="PreconditionFailed") as caught:
        azure.action(SSH).apply(plan)
    assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert azure.properties(f"{NSG_ID}/securityRules/ssh")["access"] == "Allow"


def test_a_second_rule_that_fails_leaves_the_first_to_be_put_back(azure: Azure) -> None:
    add_group(azure.world, {"a": {}, "b": {"description": "for b"}})
    original, plan = dict(azure.world.raw()), azure.plan(SSH, NSG_ID)
    azure.world.faults = [Fault("rule put", 403, "RequestDisallowedByPolicy", skip=1)]
    with pytest.raises(ActionError):
        azure.action(SSH).apply(plan)
    observed = azure.action(SSH).observe(plan)
    assert (observed["a access"], observed["b access"]) == ("Deny", "Allow")
    azure.action(SSH).rollback(plan)
    azure.action(SSH).verify_rollback(plan)
    assert dict(azure.world.raw()) == original


def test_a_rule_that_is_gone_is_said_and_not_made_again(azure: Azure) -> None:
    add_group(azure.world, {"ssh": {}})
    plan = azure.plan(SSH, NSG_ID)
    azure.world.delete(f"{NSG_ID}/securityRules/ssh")
    assert azure.action(SSH).observe(plan)["ssh access"] is None
    for write in (azure.action(SSH).apply, azure.action(SSH).rollback):
        with pytest.raises(ActionError) as caught:
            write(plan)
        assert caught.value.cause is Cause.NOT_FOUND
    with pytest.raises(PermanentActionError, match="Could not find the rule ssh"):
        azure.plan(SSH, f"{NSG_ID}/securityRules/ssh")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"allowed_sources": ["0.0.0.0/0"]}, "is everybody"),
        ({"allowed_sources": ["::/0"]}, "is everybody"),
        ({"allowed_sources": ["Internet"]}, "is no network"),
        ({"allowed_sources": ["10.0.0.1/8"]}, "is no network"),
        ({"ports": [70000]}, "ports"),
        ({"ports": ["22"]}, "ports"),
        ({"protocol": "tcp"}, "protocol"),
        ({"delete": True}, "delete"),
    ],
)
def test_parameters_that_would_open_or_mean_nothing_are_refused(
    azure: Azure, params: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        azure.registry.resolve(step("network", "restrict-nsg-rule", **params))


def test_flow_logs_of_security_groups_are_history(azure: Azure) -> None:
    with pytest.raises(PermanentActionError, match="no new flow logs .* since 30 June 2025"):
        azure.plan(FLOW, NSG_ID)
    assert azure.arm.asked == []


def test_rollback_deletes_only_the_flow_log_we_made(azure: Azure) -> None:
    add_account(azure.world)
    add_networks(azure.world, "hub")
    plan = azure.plan(FLOW, NETWORK_ID)
    azure.action(FLOW).apply(plan)
    azure.world.delete(f"{WATCHER_ID}/flowLogs/{name_of_ours(NETWORK_ID)}")
    add_flow_log(azure.world, "theirs", NETWORK_ID, enabled=True)
    with pytest.raises(PermanentActionError, match="Somebody else's flow log"):
        azure.action(FLOW).rollback(plan)
    assert azure.world.get(f"{WATCHER_ID}/flowLogs/theirs")
    assert "flow log delete" not in azure.arm.asked


def test_where_flow_logs_cannot_go_is_said_before_any_change(azure: Azure) -> None:
    add_account(azure.world, location="northeurope")
    add_networks(azure.world, "hub")
    with pytest.raises(PermanentActionError) as caught:
        azure.plan(FLOW, NETWORK_ID)
    assert caught.value.cause is Cause.WRONG_REGION
    with pytest.raises(PermanentActionError, match="name a storage_account"):
        azure.plan(step("network", "enable-vnet-flow-logs"), NETWORK_ID)


def test_a_region_without_a_watcher_or_with_too_many_networks_is_refused(azure: Azure) -> None:
    add_account(azure.world)
    add_networks(azure.world, *(f"net-{number}" for number in range(21)))
    with pytest.raises(PermanentActionError, match="has 21 virtual networks"):
        azure.plan(FLOW, WATCHER_ID)
    azure.world.delete(WATCHER_ID)
    with pytest.raises(PermanentActionError, match="find a network watcher in westeurope"):
        azure.plan(FLOW, NETWORK_ID.replace("hub", "net-1"))


def test_a_new_key_is_in_nothing_that_is_kept(azure: Azure, caplog: pytest.LogCaptureFixture) -> None:
    add_account(azure.world)
    caplog.set_level("DEBUG")
    plan = azure.plan(KEY, ACCOUNT_ID)
    kept = [plan.to_dict(), azure.action(KEY).apply(plan), azure.action(KEY).observe(plan), azure.action(KEY)]
    assert "secret" in str(azure.world.keys)
    assert "secret" not in f"{kept!r}{caplog.text}"
    assert plan.reversible is False
    assert "cannot be put back" in plan.notes[0]
    assert "key2" in plan.notes[0]
