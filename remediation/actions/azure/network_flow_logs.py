"""Record the traffic of virtual networks, and stop recording what we started."""

from typing import Any

from pydantic import Field

from audit.errors import Cause, PermanentActionError
from remediation.actions.azure.action import AzureAction
from remediation.actions.azure.arm_id import (
    NETWORK_WATCHER,
    SECURITY_GROUP,
    STORAGE_ACCOUNT,
    VIRTUAL_NETWORK,
    ArmId,
    locate,
    read_arm_id,
    settled,
)
from remediation.actions.azure.errors import azure_errors
from remediation.actions.azure.flow_logs import (
    Log,
    Watcher,
    describe_log,
    find_log,
    flatten,
    name_of_ours,
    network_id,
    unflatten,
    usual_storage,
)
from remediation.actions.contract import Draft, Params, Permissions
from remediation.plan import ActionPlan, State, Target

MOST_NETWORKS = 20
_WRITING = (
    "Microsoft.Network/networkWatchers/flowLogs/write",
    "Microsoft.Network/locations/operations/read",
    "Microsoft.Storage/storageAccounts/listKeys/action",
)


class EnableFlowLogsParams(Params):
    """Where the logs go and how long they are kept (0: for ever).

    Without `storage_account`, they go where most flow logs of the region go already.
    """

    storage_account: str | None = None
    retention_days: int = Field(default=90, ge=0, le=365)


class EnableVnetFlowLogs(AzureAction[EnableFlowLogsParams]):
    """Record the traffic of a virtual network, or of all in a network watcher's region that nobody records yet.

    A network that is recorded already is left alone; a flow log that is switched off is switched on; else one is made, under a
    name that follows from the network. The way back deletes what we made, with that name, and switches off what we switched
    on; what was recorded meanwhile stays in the storage account. Flow logs of security groups are no way: Azure takes no new
    ones since 30 June 2025.

    Example:
        ```yaml
        action_name: enable_flow_logs
        action_type: azure
        params:
          service: network
          action: enable-vnet-flow-logs
          params:
            retention_days: 90
        ```
    """

    key = "network:enable-vnet-flow-logs"
    params_model = EnableFlowLogsParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/networkWatchers/read",
            "Microsoft.Network/networkWatchers/flowLogs/read",
            "Microsoft.Storage/storageAccounts/read",
        ),
        apply=_WRITING,
        rollback=(*_WRITING, "Microsoft.Network/networkWatchers/flowLogs/delete"),
    )

    def plan(self, target: Target, params: EnableFlowLogsParams) -> Draft:
        """Find the networks, their region's watcher and what is recorded today."""
        arm_id = _locate(target)
        watcher = self._watcher(arm_id)
        logs = watcher.read()
        before = {
            network: describe_log(find_log(logs, network)) for network in self._networks(arm_id, watcher)
        }
        storage = params.storage_account or usual_storage(logs)
        after = {
            network: _wanted(log, network, storage, params.retention_days) for network, log in before.items()
        }
        needed = [network for network, log in before.items() if log["flowLog"] is None]
        if needed:
            self._check_storage(str(storage), watcher.location)
        return Draft(
            target=settled(target, arm_id),
            before=flatten(before),
            after=flatten(after),
            untouched=(
                "The networks themselves",
                "Flow logs of other resources",
                "The storage account's settings",
            ),
            notes=_advice(needed, str(storage)),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the flow logs of the plan's networks as they are now."""
        logs = self._watcher(_locate(plan.target)).read()
        networks = unflatten(plan.before, plan.target)
        return flatten({network: describe_log(find_log(logs, network)) for network in networks})

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Make the flow logs, or switch them on."""
        return self._write(plan, plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Delete those that we made; switch those off that we switched on."""
        return self._write(plan, plan.before)

    def _write(self, plan: ActionPlan, state: State) -> tuple[str, ...]:
        watcher = self._watcher(_locate(plan.target))
        logs = unflatten(state, plan.target)
        return tuple(written for network, log in logs.items() for written in watcher.write(log, network))

    def _watcher(self, arm_id: ArmId) -> Watcher:
        """Find the watcher of the region."""
        network = self.network(arm_id)
        if arm_id.kind == NETWORK_WATCHER:
            with azure_errors(f"read the network watcher {arm_id.name}"):
                found = network.network_watchers.get(
                    resource_group_name=arm_id.group, network_watcher_name=arm_id.name
                )
            return Watcher(network, arm_id, _region(found.location))
        with azure_errors(f"read the virtual network {arm_id.name}"):
            location = _region(
                network.virtual_networks.get(
                    resource_group_name=arm_id.group, virtual_network_name=arm_id.name
                ).location
            )
        return Watcher(network, _watcher_in(network, location), location)

    def _networks(self, arm_id: ArmId, watcher: Watcher) -> list[str]:
        """Return the ids of the networks that are meant."""
        if arm_id.kind == VIRTUAL_NETWORK:
            return [network_id(arm_id.subscription, arm_id.group, arm_id.name)]
        with azure_errors(f"list the virtual networks in {watcher.location}"):
            found = [
                read_arm_id(str(network.id))
                for network in self.network(arm_id).virtual_networks.list_all()
                if _region(network.location) == watcher.location
            ]
        if not found or len(found) > MOST_NETWORKS:
            raise PermanentActionError(
                f"{watcher.location} has {len(found)} virtual networks; one run takes 1 to {MOST_NETWORKS}. "
                "Ask for the fix of a finding about one network",
                cause=Cause.INVALID,
            )
        return sorted(network_id(network.subscription, network.group, network.name) for network in found)

    def _check_storage(self, storage: str, location: str) -> None:
        """Let a storage account pass that lies in the region, as Azure demands.

        Raises:
            ActionError: it is none, cannot be read, or lies elsewhere.
        """
        arm_id = locate(Target(provider="azure", resource=storage), STORAGE_ACCOUNT)
        with azure_errors(f"read the storage account {arm_id.name}, where the flow logs are to go"):
            account = self.storage(arm_id).storage_accounts.get_properties(
                resource_group_name=arm_id.group, account_name=arm_id.name
            )
        if _region(account.location) != location:
            raise PermanentActionError(
                f"The storage account {arm_id.name} lies in {account.location}; flow logs of {location} have to stay there",
                cause=Cause.WRONG_REGION,
            )


def _locate(target: Target) -> ArmId:
    arm_id = locate(target, VIRTUAL_NETWORK, NETWORK_WATCHER, SECURITY_GROUP)
    if arm_id.kind == SECURITY_GROUP:
        raise PermanentActionError(
            f"{arm_id.name} is a security group, and Azure takes no new flow logs of those since 30 June 2025: "
            "record its virtual network instead",
            cause=Cause.INVALID,
        )
    return arm_id


def _watcher_in(network: Any, location: str) -> ArmId:  # noqa: ANN401 - see `AzureClients`
    with azure_errors(f"find the network watcher of {location}"):
        for watcher in network.network_watchers.list_all():
            if _region(watcher.location) == location:
                return read_arm_id(str(watcher.id))
    raise PermanentActionError(
        f"Could not find a network watcher in {location}: switch Network Watcher on for that region first",
        cause=Cause.NOT_FOUND,
    )


def _wanted(log: Log, network: str, storage: str | None, retention_days: int) -> Log:
    """Return what a network's flow log is to be.

    Raises:
        PermanentActionError: one would have to be made, and nobody says where its records go.
    """
    if log["flowLog"] is not None:
        return {**log, "enabled": True}
    if storage is None:
        raise PermanentActionError(
            "No flow log of the region shows where records go: name a storage_account in the playbook",
            cause=Cause.INVALID,
        )
    return {
        "flowLog": name_of_ours(network),
        "enabled": True,
        "retentionDays": retention_days,
        "storageId": storage.lower(),
    }


def _advice(needed: list[str], storage: str) -> tuple[str, ...]:
    if not needed:
        return ()
    return (
        f"Records go to {storage.rpartition('/')[2]} and cost by volume.",
        "A rollback stops the recording; what was recorded until then stays.",
    )


def _region(location: object) -> str:
    """Return a region as ids have it: `West Europe` is `westeurope`."""
    return str(location).replace(" ", "").lower()
