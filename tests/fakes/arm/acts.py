"""What each route does to the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.arm.world import Json, World, normalized_rule

REQUIRED_OF_A_RULE = ("access", "direction", "priority", "protocol")
FIRST_KEYS_MADE = datetime(2025, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
_PAGE = 2


@dataclass(frozen=True)
class Asked:
    """One request, found sound. `path` is the resource's id as it was spelled."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base_url: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refuse(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}}, headers or {})


def not_found(path: str) -> Answer:
    return refuse(404, "ResourceNotFound", f"The Resource '{path}' was not found.")


def get(world: World, asked: Asked) -> Answer:
    found = world.get(asked.path)
    return Answer(200, found) if found else not_found(asked.path)


def get_group(world: World, asked: Asked) -> Answer:
    found = world.get(asked.path)
    if not found:
        return not_found(asked.path)
    found["properties"]["securityRules"] = world.below(f"{asked.path}/securityRules")
    return Answer(200, found)


def put_rule(world: World, asked: Asked) -> Answer:
    missing = [name for name in REQUIRED_OF_A_RULE if not asked.body.get("properties", {}).get(name)]
    if missing:
        return refuse(400, "InvalidRequestFormat", f"Required property '{missing[0]}' not found in JSON.")
    properties = asked.body["properties"]
    if not properties.get("sourceAddressPrefix") and not properties.get("sourceAddressPrefixes"):
        return refuse(400, "SecurityRuleParameterContainsNoSource", "Security rule has no source.")
    return _put_later(world, asked, normalized_rule(asked.body))


def put_flow_log(world: World, asked: Asked) -> Answer:
    if not asked.body.get("location"):
        return refuse(400, "LocationRequired", "The location property is required for this definition.")
    target = str(asked.body["properties"]["targetResourceId"])
    if "/networksecuritygroups/" in target.casefold():
        return refuse(400, "NsgFlowLogCreationBlocked", "NSG flow logs can no longer be created.")
    return _put_later(world, asked, asked.body)


def _put_later(world: World, asked: Asked, body: Json) -> Answer:
    before = world.get(asked.path)
    wanted = asked.headers.get("If-Match")
    if wanted and (before is None or before["etag"] != wanted):
        return refuse(412, "PreconditionFailed", "Precondition failed: the resource has another etag.")
    name = world.start(lambda: world.put(before["id"] if before else asked.path, body))
    shown = {**(before or body), "properties": {**body["properties"], "provisioningState": "Updating"}}
    return Answer(200 if before else 201, shown, _operation_headers(asked, name))


def delete_later(world: World, asked: Asked) -> Answer:
    if world.get(asked.path) is None:
        return Answer(204)
    name = world.start(lambda: world.delete(asked.path))
    return Answer(202, None, _operation_headers(asked, name))


def _operation_headers(asked: Asked, name: str) -> dict[str, str]:
    subscription = "/".join(asked.path.split("/")[:3])
    url = f"{asked.base_url}{subscription}/providers/Microsoft.Network/locations/westeurope/operations/{name}"
    return {"Azure-AsyncOperation": f"{url}?api-version=2026-03-01", "Retry-After": "0"}


def update(world: World, asked: Asked) -> Answer:
    """Merge what a PATCH names into the resource."""
    found = world.get(asked.path)
    if found is None:
        return not_found(asked.path)
    for name, value in asked.body.items():
        found[name] = {**found.get(name, {}), **value} if isinstance(value, dict) else value
    return Answer(200, world.put(found["id"], found))


def update_container(world: World, asked: Asked) -> Answer:
    account = world.get(asked.path.partition("/blobServices/")[0])
    level = asked.body.get("properties", {}).get("publicAccess", "None")
    if account and account["properties"].get("allowBlobPublicAccess") is False and level != "None":
        return refuse(409, "PublicAccessNotPermitted", "Public access is not permitted on this account.")
    return update(world, asked)


def regenerate_key(world: World, asked: Asked) -> Answer:
    account_id = asked.path.rpartition("/")[0]
    account = world.get(account_id)
    if account is None:
        return not_found(account_id)
    name = asked.body["keyName"]
    times = account["properties"].setdefault("keyCreationTime", {})
    last = times.get(name)
    made = (datetime.fromisoformat(last) if last else FIRST_KEYS_MADE) + timedelta(days=30)
    times[name] = made.isoformat()
    world.put(account["id"], account)
    keys = world.keys.setdefault(account_id.casefold(), {"key1": "old-secret-1", "key2": "old-secret-2"})
    keys[name] = f"fresh-secret-{name}-{made.date()}"
    listed = [{"keyName": key, "value": value, "permissions": "FULL"} for key, value in keys.items()]
    return Answer(200, {"keys": listed})


def list_below(world: World, asked: Asked) -> Answer:
    return _page(world.below(asked.path), asked)


def list_kind(world: World, asked: Asked) -> Answer:
    return _page(world.ending_in(asked.path.rpartition("/")[2]), asked)


def _page(found: list[Json], asked: Asked) -> Answer:
    """Return a page of two, so that whoever forgets the next one is seen."""
    start = int(asked.query.get("$skiptoken", "0"))
    answer: Json = {"value": found[start : start + _PAGE]}
    if len(found) > start + _PAGE:
        version = asked.query["api-version"]
        answer["nextLink"] = f"{asked.base_url}{asked.path}?api-version={version}&$skiptoken={start + _PAGE}"
    return Answer(200, answer)


ACTS: dict[str, Callable[[World, Asked], Answer]] = {
    "nsg get": get_group,
    "rule get": get,
    "rule put": put_rule,
    "network get": get,
    "network list": list_kind,
    "watcher get": get,
    "watcher list": list_kind,
    "flow log list": list_below,
    "flow log get": get,
    "flow log put": put_flow_log,
    "flow log delete": delete_later,
    "account get": get,
    "account update": update,
    "account regenerate key": regenerate_key,
    "container list": list_below,
    "container get": get,
    "container update": update_container,
}
