"""Firewall rules and subnetworks. What is written takes effect when its operation has been waited for."""

import base64
import copy
import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.google.checks import Call
from tests.fakes.google.refusal import Refusal

Resource = dict[str, Any]
_FLOW_LOG_DEFAULTS = {
    "aggregationInterval": "INTERVAL_5_SEC",
    "flowSampling": 0.5,
    "metadata": "EXCLUDE_ALL_METADATA",
}


@dataclass
class ComputeService:
    """`polls` is how many times a wait answers that the operation still runs; `operation_error` is how it ends."""

    resources: dict[str, Resource] = field(default_factory=dict)
    polls: int = 1
    operation_error: tuple[int, str] | None = None
    patches: list[Resource] = field(default_factory=list)
    _operations: dict[str, Resource] = field(default_factory=dict)
    _by_request: dict[str, str] = field(default_factory=dict)
    _changes: dict[str, tuple[str, Resource]] = field(default_factory=dict)
    _polls_left: dict[str, int] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(8_000_000_000_000_000_001))

    def add(self, path: str, **resource: Any) -> Resource:
        """Make a resource at `projects/…/firewalls/NAME` or `…/subnetworks/NAME`."""
        name = path.rpartition("/")[2]
        made = {
            "id": str(next(self._numbers)),
            "name": name,
            "selfLink": f"https://www.googleapis.com/compute/v1/{path}",
            **resource,
        }
        if "/subnetworks/" in path:
            made["fingerprint"] = self._fingerprint()
        self.resources[path] = made
        return made

    def end_all(self) -> None:
        """End what is still running, as it would by itself without anybody waiting for it."""
        for name in list(self._operations):
            self._polls_left[name] = 0
            self._wait(name)

    def serve(self, call: Call, query: dict[str, list[str]], body: Any) -> Resource:
        if call.method.endswith(".wait"):
            return self._wait(call.path["operation"])
        path = self._find(call)
        if call.method.endswith(".get"):
            return copy.deepcopy(self.resources[path])
        return self._patch(call, path, body, request_id=query.get("requestId", [""])[0])

    def _find(self, call: Call) -> str:
        kind = "firewalls" if "firewall" in call.path else "subnetworks"
        scope = "global" if kind == "firewalls" else f"regions/{call.path['region']}"
        name = call.path[kind[:-1]]
        folder = f"projects/{call.path['project']}/{scope}/{kind}/"
        for path, resource in self.resources.items():
            if path.startswith(folder) and name in (resource["name"], resource["id"]):
                return path
        raise Refusal(404, f"The resource '{folder}{name}' was not found", "notFound")

    def _patch(self, call: Call, path: str, body: Resource, *, request_id: str) -> Resource:
        if request_id and request_id in self._by_request:
            return self._operations[self._by_request[request_id]]
        now = self.resources[path]
        if "fingerprint" in now and body.get("fingerprint") != now["fingerprint"]:
            raise Refusal(412, "Invalid fingerprint.", "conditionNotMet")
        config = body.get("logConfig", {})
        if config and not config.get("enable") and len(config) > 1:
            raise Refusal(400, "logConfig can only be specified if logging is enabled.", "invalid")
        self.patches.append(body)
        operation = self._begin(call, path)
        self._by_request[request_id] = operation["name"]
        self._changes[operation["name"]] = (path, body)
        return operation

    def _begin(self, call: Call, path: str) -> Resource:
        number = next(self._numbers)
        operation = {
            "kind": "compute#operation",
            "id": str(number),
            "name": f"operation-{number}",
            "operationType": "patch",
            "status": "RUNNING",
            "targetLink": self.resources[path]["selfLink"],
            "progress": 0,
        }
        self._operations[operation["name"]] = operation
        self._polls_left[operation["name"]] = self.polls
        return dict(operation)

    def _wait(self, name: str) -> Resource:
        operation = self._operations[name]
        if self._polls_left[name] > 0:
            self._polls_left[name] -= 1
        elif operation["status"] != "DONE":
            operation.update(status="DONE", progress=100)
            self._end(operation)
        return dict(operation)

    def _end(self, operation: Resource) -> None:
        if self.operation_error:
            status, message = self.operation_error
            operation["httpErrorStatusCode"] = status
            operation["httpErrorMessage"] = "BAD REQUEST"
            operation["error"] = {"errors": [{"code": "CONDITION_NOT_MET", "message": message}]}
            return
        path, body = self._changes[operation["name"]]
        _merge(self.resources[path], body)
        if "fingerprint" in self.resources[path]:
            self.resources[path]["fingerprint"] = self._fingerprint()
            config = self.resources[path].get("logConfig", {})
            if config.get("enable"):
                self.resources[path]["logConfig"] = {**_FLOW_LOG_DEFAULTS, **config}

    def _fingerprint(self) -> str:
        return base64.b64encode(str(next(self._numbers)).encode()).decode()


def _merge(into: Resource, patch: Resource) -> None:
    """Merge as a JSON merge patch does: objects field by field, all else as a whole."""
    for name, value in patch.items():
        if isinstance(value, dict):
            _merge(into.setdefault(name, {}), value)
        elif value is None:
            into.pop(name, None)
        else:
            into[name] = value
