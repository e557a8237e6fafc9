"""What the stand-in keeps: resources by id, operations under way, and the faults a test asks for."""

import copy
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
LISTS = (
    "sourceAddressPrefixes",
    "destinationAddressPrefixes",
    "sourcePortRanges",
    "destinationPortRanges",
)


@dataclass
class Fault:
    """What befalls the next `times` requests of a route. Status 0 closes the connection.

    `after` lets the request work first; `skip` lets as many pass before.
    """

    route: str
    status: int = 0
    code: str = "Said"
    message: str = "said Azure"
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False
    skip: int = 0


@dataclass
class Operation:
    """Something Azure goes on with: `effect` takes place at the last look."""

    effect: Callable[[], None]
    polls: int
    error: Json | None = None


class World:
    """Azure's state. `polls` is how often an operation is looked at before it is done; None: it never is.

    `operation_error`, where set, is how the next operation ends. `meanwhile` is what somebody else does just before a route answers.
    """

    def __init__(self) -> None:
        self.resources: dict[str, Json] = {}
        self.keys: dict[str, Json] = {}
        self.operations: dict[str, Operation] = {}
        self.faults: list[Fault] = []
        self.polls: int | None = 1
        self.operation_error: Json | None = None
        self.meanwhile: dict[str, Callable[[], object]] = {}
        self._numbers = itertools.count(1)

    def put(self, resource_id: str, body: Json) -> Json:
        """Store a resource as Azure shows it: with id, name, etag and its state of provisioning."""
        shown = copy.deepcopy(body)
        shown["id"], shown["name"] = resource_id, resource_id.rpartition("/")[2]
        shown["etag"] = f'W/"{next(self._numbers)}"'
        shown.setdefault("properties", {})["provisioningState"] = "Succeeded"
        self.resources[resource_id.casefold()] = shown
        return shown

    def get(self, resource_id: str) -> Json | None:
        return copy.deepcopy(self.resources.get(resource_id.casefold()))

    def delete(self, resource_id: str) -> None:
        self.resources.pop(resource_id.casefold(), None)

    def below(self, parent: str) -> list[Json]:
        """Return the resources right below an id, in the order of their ids."""
        inside = re.compile(re.escape(parent.casefold()) + r"/[^/]+")
        return [copy.deepcopy(body) for key, body in sorted(self.resources.items()) if inside.fullmatch(key)]

    def ending_in(self, kind: str) -> list[Json]:
        """Return the resources of a kind such as `virtualNetworks`."""
        wanted = re.compile(rf".*/{kind}/[^/]+", re.IGNORECASE)
        return [copy.deepcopy(body) for key, body in sorted(self.resources.items()) if wanted.fullmatch(key)]

    def start(self, effect: Callable[[], None]) -> str:
        """Begin an operation; return its name."""
        name = f"op-{next(self._numbers)}"
        polls = self.polls if self.polls is not None else 10**9
        self.operations[name] = Operation(effect, polls, self.operation_error)
        self.operation_error = None
        return name

    def look_at(self, name: str) -> Json:
        """Return an operation's state, a look nearer to its end."""
        operation = self.operations[name]
        operation.polls -= 1
        if operation.polls > 0:
            return {"status": "InProgress"}
        if operation.error:
            return {"status": "Failed", "error": operation.error}
        operation.effect()
        return {"status": "Succeeded"}

    def end_all(self) -> None:
        """End what is still running, as it would by itself without anybody looking."""
        for operation in self.operations.values():
            if operation.polls > 0 and not operation.error:
                operation.polls = 0
                operation.effect()

    def fault_for(self, route: str) -> Fault | None:
        for fault in self.faults:
            if not fault.times or fault.route not in (route, "any"):
                continue
            if not fault.skip:
                fault.times -= 1
                return fault
            fault.skip -= 1
        return None

    def raw(self) -> Iterator[tuple[str, Json]]:
        """Yield everything but what changes with every write."""
        for key, body in sorted(self.resources.items()):
            yield key, {name: value for name, value in body.items() if name != "etag"}


def normalized_rule(body: Json) -> Json:
    """Return a security rule as Azure stores it: an absent list as an empty one."""
    shown = copy.deepcopy(body)
    shown["properties"] = {**{name: [] for name in LISTS}, **shown["properties"]}
    return shown
