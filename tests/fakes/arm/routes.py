"""The routes of Azure Resource Manager, taken from the SDK's own request builders: path, method, API version, body."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from azure.mgmt.network import models as network_models
from azure.mgmt.network.operations import _operations as network
from azure.mgmt.storage import models as storage_models
from azure.mgmt.storage.operations import _operations as storage

_HOLE = re.compile(r"HOLE(\w+?)HOLE")


@dataclass(frozen=True)
class Route:
    """One operation: who asks for `name` gets here. `body` is the SDK's model of what it takes."""

    name: str
    method: str
    pattern: re.Pattern[str]
    api_version: str
    optional_query: frozenset[str]
    body: type | None


@dataclass(frozen=True)
class Match:
    route: Route
    names: Mapping[str, str]


def _route(name: str, build: Callable[..., Any], body: type | None = None) -> Route:
    parameters = inspect.signature(build).parameters.values()
    holes = [p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    options = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    request = build(*(f"HOLE{hole}HOLE" for hole in holes))
    parts = urlsplit(request.url)
    pattern = _HOLE.sub(r"(?P<\1>[^/]+)", re.escape(parts.path))
    query = dict(parse_qsl(parts.query))
    return Route(
        name=name,
        method=request.method,
        pattern=re.compile(pattern, re.IGNORECASE),
        api_version=query["api-version"],
        optional_query=frozenset(f"${option}" for option in options),
        body=body,
    )


ROUTES = (
    _route("nsg get", network.build_network_security_groups_get_request),
    _route("rule get", network.build_security_rules_get_request),
    _route("rule put", network.build_security_rules_create_or_update_request, network_models.SecurityRule),
    _route("network get", network.build_virtual_networks_get_request),
    _route("network list", network.build_virtual_networks_list_all_request),
    _route("watcher get", network.build_network_watchers_get_request),
    _route("watcher list", network.build_network_watchers_list_all_request),
    _route("flow log list", network.build_flow_logs_list_request),
    _route("flow log get", network.build_flow_logs_get_request),
    _route("flow log put", network.build_flow_logs_create_or_update_request, network_models.FlowLog),
    _route("flow log delete", network.build_flow_logs_delete_request),
    _route("account get", storage.build_storage_accounts_get_properties_request),
    _route(
        "account update",
        storage.build_storage_accounts_update_request,
        storage_models.StorageAccountUpdateParameters,
    ),
    _route(
        "account regenerate key",
        storage.build_storage_accounts_regenerate_key_request,
        storage_models.StorageAccountRegenerateKeyParameters,
    ),
    _route("container list", storage.build_blob_containers_list_request),
    _route("container get", storage.build_blob_containers_get_request),
    _route("container update", storage.build_blob_containers_update_request, storage_models.BlobContainer),
)


def find_route(method: str, path: str) -> Match | None:
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return Match(route, found.groupdict())
    return None


def complaints(match: Match, query: Mapping[str, str], body: object) -> Iterator[str]:
    """Yield what Azure would not take: another API version, a query or a field that the SDK does not know."""
    if query.get("api-version") != match.route.api_version:
        yield f"{match.route.name}: API version {query.get('api-version')}, not {match.route.api_version}"
    for name in query.keys() - {"api-version", "$skiptoken"} - match.route.optional_query:
        yield f"{match.route.name}: unknown query {name}"
    if match.route.body is None:
        if body is not None:
            yield f"{match.route.name} takes no body"
        return
    yield from unknown_fields(match.route.body, body, match.route.name)


def unknown_fields(model: Any, body: object, place: str) -> Iterator[str]:
    """Yield each field of a body that the model does not have, or that only Azure writes, at any depth."""
    if not isinstance(body, dict):
        yield f"{place}: {body!r} is no {model.__name__}"
        return
    model({})  # the SDK's models know their fields once one was made
    fields = {field._rest_name: field for field in model._attr_to_rest_field.values()}
    for name, value in body.items():
        if name not in fields:
            yield f"{place}: {model.__name__} has no {name}"
        elif fields[name]._visibility == ["read"]:
            yield f"{place}: {model.__name__}.{name} is read-only"
        elif nested := _model_in(fields[name]._type):
            for entry in value if isinstance(value, list) else [value]:
                yield from unknown_fields(nested, entry, f"{place}.{name}")


def _model_in(made_by: Any) -> Any:
    """Return the model that a field's deserializer makes, through the wrappers for lists and absence; else None."""
    while hasattr(made_by, "args"):
        made_by = made_by.args[0] if made_by.args else None
    return made_by if hasattr(made_by, "_attr_to_rest_field") or hasattr(made_by, "as_dict") else None
