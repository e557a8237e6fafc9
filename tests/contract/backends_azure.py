"""Azure for the contract suite: the stand-in for its resource manager, and real SDK clients on it."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

from remediation.actions.azure.clients import AzureSdkClients
from remediation.actions.clouds import Clouds
from remediation.actions.registry import ActionRegistry
from tests.fakes.arm import ArmStandIn
from tests.fakes.arm.server import TOKEN
from tests.fakes.arm.world import World, normalized_rule

SUBSCRIPTION = "5a3f1f7c-6f2d-4c7e-9f53-0a4d4f0c2b11"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Acme-Prod"
ACCOUNT_ID = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/acmedata"
CONTAINERS = f"{ACCOUNT_ID}/blobServices/default/containers"
NSG_ID = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/web-nsg"
NETWORK_ID = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub"
WATCHERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers"
WATCHER_ID = f"{WATCHERS}/NetworkWatcher_westeurope"


class NoCredential:
    """A credential that is never asked: the policy below speaks for it, since the SDK sends no token over plain HTTP."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        raise AssertionError("nobody asks for a token")


class TestToken(SansIOHTTPPolicy[Any, Any]):
    __test__ = False

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = TOKEN


def clients_at(url: str) -> AzureSdkClients:
    return AzureSdkClients(base_url=url, credential=NoCredential(), authentication_policy=TestToken())


@pytest.fixture
def arm() -> Iterator[ArmStandIn]:
    """Run a stand-in; it fails the test for any request that Azure would not take."""
    with ArmStandIn() as standin:
        yield standin
    assert standin.complaints == []


@pytest.fixture
def azure_clients(arm: ArmStandIn) -> Iterator[AzureSdkClients]:
    clients = clients_at(arm.url)
    yield clients
    clients.close()


class Wrapping:
    """Puts a wrapper around each group of operations of each client."""

    def __init__(self, clients: AzureSdkClients, wrap: Any) -> None:
        self._clients, self._wrap = clients, wrap

    def client(self, service: str, *, subscription: str) -> Any:
        return _Groups(self._clients.client(service, subscription=subscription), self._wrap)


class _Groups:
    def __init__(self, client: Any, wrap: Any) -> None:
        self._client, self._wrap = client, wrap

    def __getattr__(self, name: str) -> Any:
        return self._wrap(getattr(self._client, name))


def azure_registry(clients: AzureSdkClients, wrap: Any = None) -> ActionRegistry:
    return ActionRegistry.standard(Clouds(azure=Wrapping(clients, wrap) if wrap else clients))


def add_account(world: World, *, switch: bool | None = True, location: str = "westeurope") -> None:
    """Add a storage account with three containers; None is an account that never said."""
    said = {} if switch is None else {"allowBlobPublicAccess": switch}
    properties = {**said, "supportsHttpsTrafficOnly": True, "minimumTlsVersion": "TLS1_2"}
    world.put(ACCOUNT_ID, {"location": location, "tags": {"owner": "data"}, "properties": properties})
    for name, level in (("exports", "Container"), ("private", "None"), ("website", "Blob")):
        world.put(f"{CONTAINERS}/{name}", {"properties": {"publicAccess": level, "metadata": {"a": "b"}}})


def add_group(world: World, rules: dict[str, dict[str, Any]]) -> None:
    """Add a security group with rules and two users; what a rule does not say is the usual."""
    network = f"{GROUP}/providers/Microsoft.Network"
    users = {
        "networkInterfaces": [{"id": f"{network}/networkInterfaces/web-1-nic"}],
        "subnets": [{"id": f"{NETWORK_ID}/subnets/web"}],
    }
    world.put(NSG_ID, {"location": "westeurope", "properties": users})
    for priority, (name, said) in enumerate(rules.items(), start=100):
        usual = {
            "access": "Allow",
            "direction": "Inbound",
            "protocol": "Tcp",
            "priority": priority,
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "22",
        }
        stated = {field: value for field, value in {**usual, **said}.items() if value is not None}
        world.put(f"{NSG_ID}/securityRules/{name}", normalized_rule({"properties": stated}))


def add_networks(world: World, *names: str, location: str = "westeurope") -> None:
    for name in names:
        network_id = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}"
        world.put(network_id, {"location": location, "properties": {}})
    world.put(f"{WATCHERS}/NetworkWatcher_northeurope", {"location": "northeurope", "properties": {}})
    world.put(f"{WATCHERS}/NetworkWatcher_uksouth", {"location": "uksouth", "properties": {}})
    world.put(WATCHER_ID, {"location": "West Europe", "properties": {}})


def add_flow_log(world: World, name: str, network_id: str, *, enabled: bool) -> None:
    properties = {
        "targetResourceId": network_id,
        "storageId": ACCOUNT_ID,
        "enabled": enabled,
        "retentionPolicy": {"days": 30, "enabled": True},
        "format": {"type": "JSON", "version": 2},
    }
    body = {"location": "westeurope", "tags": {"team": "net"}, "properties": properties}
    world.put(f"{WATCHER_ID}/flowLogs/{name}", body)
