"""Actions on Azure, on the stand-in for its resource manager."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import pytest

from remediation.actions.azure.clients import AzureSdkClients
from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
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
from tests.contract.cases.contract import ActionCase
from tests.fakes.arm import ArmStandIn


def step(service: str, action: str, **params: object) -> PlaybookAction:
    return PlaybookAction("fix", "azure", {"service": service, "action": action, "params": params})


class AzureCase(ActionCase):
    """A resource on a stand-in of its own."""

    resource: ClassVar[str]

    def __init__(self, arm: ArmStandIn, clients: AzureSdkClients) -> None:
        self.arm = arm
        self.clients = clients

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("arm"), request.getfixturevalue("azure_clients"))

    def target(self) -> Target:
        return Target(provider="azure", resource=self.resource, account_id=SUBSCRIPTION, region="westeurope")

    def set_state(self, name: str) -> None:
        self.arm.world.resources.clear()
        self.build(self.states[name])

    @abstractmethod
    def build(self, state: Any) -> None:
        """Fill an empty world."""

    def read_raw(self) -> object:
        return {"resources": dict(self.arm.world.raw()), "keys": str(self.arm.world.keys)}

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return azure_registry(self.clients, wrap)


class BlobAccountCase(AzureCase):
    written = step("storage", "restrict-blob-access")
    states = {"on": True, "off": False}
    unsettled = "on"
    resource = ACCOUNT_ID

    def build(self, state: Any) -> None:
        add_account(self.arm.world, switch=state)


class BlobContainerCase(BlobAccountCase):
    states = {"container": "exports", "blob": "website", "none": "private"}
    unsettled = "container"
    name = "exports"

    def build(self, state: Any) -> None:
        self.name = state
        add_account(self.arm.world)

    def target(self) -> Target:
        resource = f"{CONTAINERS}/{self.name}"
        return Target(provider="azure", resource=resource, account_id=SUBSCRIPTION)


OPEN_RULES: dict[str, dict[str, dict[str, Any]]] = {
    "any": {"ssh": {"description": "for the vendor", "sourceAddressPrefix": "*"}},
    "internet": {"ssh": {"sourceAddressPrefix": "Internet", "priority": 4000}},
    "ipv6": {"ssh": {"sourceAddressPrefix": "::/0"}},
    "private ones beside": {
        "ssh": {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["0.0.0.0/0", "10.0.0.0/8"]},
        "other": {"destinationPortRange": "443"},
    },
    "ranges": {
        "many": {"destinationPortRange": None, "destinationPortRanges": ["80", "20-25"], "protocol": "*"},
        "all": {"destinationPortRange": "*", "description": "temporary, 2019"},
    },
    "application groups": {
        "ssh": {
            "destinationAddressPrefix": None,
            "destinationApplicationSecurityGroups": [
                {"id": f"{NSG_ID.rpartition('/networkS')[0]}/applicationSecurityGroups/web"}
            ],
        }
    },
    "closed": {
        "ssh": {"sourceAddressPrefix": "10.0.0.0/8"},
        "deny": {"access": "Deny"},
        "out": {"direction": "Outbound"},
        "tag": {"sourceAddressPrefix": "VirtualNetwork"},
        "web": {"destinationPortRange": "443"},
    },
}


class NsgRuleDenyCase(AzureCase):
    written = step("network", "restrict-nsg-rule", ports=[22])
    states = OPEN_RULES
    unsettled = "any"
    resource = NSG_ID

    def build(self, state: Any) -> None:
        add_group(self.arm.world, state)


class NsgRuleNarrowCase(NsgRuleDenyCase):
    written = step(
        "network", "restrict-nsg-rule", ports=[22], allowed_sources=["203.0.113.0/24", "10.0.0.0/8"]
    )


class NsgOneRuleCase(NsgRuleDenyCase):
    """A finding that names a rule, spelled in another case than Azure does."""

    written = step("network", "restrict-nsg-rule", allowed_sources=["203.0.113.0/24"])
    states = {name: state for name, state in OPEN_RULES.items() if "ssh" in state}
    resource = f"{NSG_ID.upper()}/securityrules/SSH"


class FlowLogsCase(AzureCase):
    written = step("network", "enable-vnet-flow-logs", storage_account=ACCOUNT_ID, retention_days=90)
    states = {"none": None, "off": False, "on": True}
    unsettled = "none"
    resource = NETWORK_ID

    def build(self, state: Any) -> None:
        add_account(self.arm.world)
        add_networks(self.arm.world, "hub", "spoke")
        add_flow_log(self.arm.world, "theirs", NETWORK_ID.replace("hub", "spoke"), enabled=True)
        if state is not None:
            add_flow_log(self.arm.world, "of-the-hub", NETWORK_ID.lower(), enabled=state)


class FlowLogsOfARegionCase(FlowLogsCase):
    """A finding about a network watcher: all networks of its region, and their records go where the others' go."""

    written = step("network", "enable-vnet-flow-logs")
    resource = WATCHER_ID


class StorageKeyCase(AzureCase):
    written = step("storage", "regenerate-key", key="key1")
    states = {"of a known age": "2025-01-31T10:20:30.123456+00:00", "of an unknown age": None}
    unsettled = "of a known age"
    resource = ACCOUNT_ID

    def build(self, state: Any) -> None:
        add_account(self.arm.world)
        if state:
            account = self.arm.world.get(ACCOUNT_ID) or {}
            account["properties"]["keyCreationTime"] = {"key1": state, "key2": state}
            self.arm.world.put(ACCOUNT_ID, account)
