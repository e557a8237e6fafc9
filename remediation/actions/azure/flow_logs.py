"""The flow logs of one network watcher: found by the network they record, made under a name of our own."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.azure.action import Answers, finish
from remediation.actions.azure.arm_id import ArmId, read_arm_id, same
from remediation.actions.azure.errors import azure_errors
from remediation.plan import ABSENT, State, Target

Log = Mapping[str, object]
NO_LOG: Log = {"flowLog": ABSENT, "enabled": ABSENT, "retentionDays": ABSENT, "storageId": ABSENT}
_TAGS = {"created-by": "countersign"}


def name_of_ours(network_id: str) -> str:
    """Return the name that our flow log of a virtual network has: another process finds it again by that."""
    return f"countersign-{hashlib.sha256(network_id.casefold().encode()).hexdigest()[:16]}"


class Watcher:
    """One network watcher: a region's keeper of flow logs."""

    def __init__(self, network: Any, arm_id: ArmId, location: str) -> None:  # noqa: ANN401 - see `AzureClients`
        self.location = location
        self._logs = network.flow_logs
        self._name = arm_id.name
        self._where = {"resource_group_name": arm_id.group, "network_watcher_name": arm_id.name}

    def read(self) -> list[Any]:
        """Return its flow logs, as the SDK has them."""
        with azure_errors(f"list the flow logs of the network watcher {self._name}"):
            return list(self._logs.list(**self._where))

    def put(self, log: Log, network_id: str, found: Any = None) -> tuple[str, ...]:  # noqa: ANN401 - the SDK's flow log
        """Make a flow log of ours, or switch one that was found on or off."""
        name = str(log["flowLog"])
        answers, doing = Answers(), f"write the flow log {name} of the network watcher {self._name}"
        headers = {"If-Match": found.etag} if found and found.etag else {}
        with azure_errors(doing):
            poller = self._logs.begin_create_or_update(
                **self._where,
                flow_log_name=name,
                parameters=_switched(found, log) if found else self._made(log, network_id),
                headers=headers,
                raw_response_hook=answers,
            )
        finish(poller, doing)
        return answers.written()

    def delete(self, name: str) -> tuple[str, ...]:
        """Delete a flow log that we made."""
        answers, doing = Answers(), f"delete the flow log {name} of the network watcher {self._name}"
        with azure_errors(doing):
            poller = self._logs.begin_delete(**self._where, flow_log_name=name, raw_response_hook=answers)
        finish(poller, doing)
        return answers.written()

    def write(self, log: Log, network_id: str) -> tuple[str, ...]:
        """Bring a network's flow log to a state; nothing is written where it is so already.

        Raises:
            PermanentActionError: it would take making or deleting somebody else's.
        """
        found = find_log(self.read(), network_id)
        actual = describe_log(found)
        if actual == log:
            return ()
        ours = name_of_ours(network_id)
        if log["flowLog"] is ABSENT and actual["flowLog"] == ours:
            return self.delete(ours)
        if found is None and log["flowLog"] == ours:
            return self.put(log, network_id)
        if found is not None and log["flowLog"] == actual["flowLog"]:
            return self.put(log, network_id, found)
        raise PermanentActionError(
            f"Somebody else's flow log records {network_id} now: {actual['flowLog']}",
            cause=Cause.CHANGED_MEANWHILE,
        )

    def _made(self, log: Log, network_id: str) -> dict[str, object]:
        days = log["retentionDays"]
        return {
            "location": self.location,
            "tags": _TAGS,
            "properties": {
                "targetResourceId": network_id,
                "storageId": log["storageId"],
                "enabled": log["enabled"],
                "retentionPolicy": {"days": days, "enabled": bool(days)},
                "format": {"type": "JSON", "version": 2},
            },
        }


def find_log(logs: list[Any], network_id: str) -> Any:  # noqa: ANN401 - the SDK's flow log, or None
    """Return the flow log of a network: ours if there is one, else one that is on, else any."""
    ours = name_of_ours(network_id)
    about = [log for log in logs if same(str(log.properties.target_resource_id), network_id)]
    by_weight = sorted(about, key=lambda log: (log.name != ours, not log.properties.enabled, str(log.name)))
    return next(iter(by_weight), None)


def describe_log(log: Any) -> Log:  # noqa: ANN401 - see `find_log`
    """Return what we promise about a flow log."""
    if log is None:
        return NO_LOG
    kept = log.properties.retention_policy
    return {
        "flowLog": str(log.name),
        "enabled": bool(log.properties.enabled),
        "retentionDays": int(kept.days or 0) if kept and kept.enabled else 0,
        # Azure may spell an id in another case than it was given.
        "storageId": str(log.properties.storage_id).lower(),
    }


def usual_storage(logs: list[Any]) -> str | None:
    """Return the storage account that most of a region's flow logs go to."""
    used = Counter(str(log.properties.storage_id).lower() for log in logs)
    return min(used, key=lambda account: (-used[account], account), default=None)


def _switched(found: Any, log: Log) -> dict[str, object]:  # noqa: ANN401 - see `find_log`
    body: dict[str, Any] = found.as_dict(exclude_readonly=True)
    return {**body, "properties": {**body["properties"], "enabled": log["enabled"]}}


def network_id(subscription: str, group: str, name: str) -> str:
    """Return the id of a virtual network."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Network/virtualNetworks/{name}"
    )


def flatten(logs: Mapping[str, Log]) -> dict[str, object]:
    """Return flow logs as settings such as `prod/hub enabled`, with group and name of the network in front."""
    flat: dict[str, object] = {}
    for network, log in logs.items():
        arm_id = read_arm_id(network)
        flat |= {f"{arm_id.group}/{arm_id.name} {field}": value for field, value in log.items()}
    return flat


def unflatten(state: State, target: Target) -> dict[str, Log]:
    """Return the flow logs of `flatten` by the ids of their networks, which lie in the target's subscription."""
    subscription = read_arm_id(target.resource).subscription
    logs: dict[str, dict[str, object]] = {}
    for setting, value in state.items():
        place, _, field = setting.partition(" ")
        group, _, name = place.partition("/")
        logs.setdefault(network_id(subscription, group, name), {})[field] = value
    return dict(logs)
