"""Writes `shapes.json` anew from the discovery documents that google-api-python-client carries.

    pip download --no-deps google-api-python-client && unzip *.whl
    python tests/fakes/google/make_shapes.py googleapiclient/discovery_cache/documents > tests/fakes/google/shapes.json

Kept are facts only: of each method we use its verb, path, parameters and the names of its messages; of each message its fields
with their types and enums.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

METHODS = {
    "compute": (
        "firewalls.get firewalls.patch subnetworks.get subnetworks.patch globalOperations.wait regionOperations.wait"
    ),
    "storage": "buckets.get buckets.list buckets.patch buckets.getIamPolicy buckets.setIamPolicy",
    "iam": (
        "projects.serviceAccounts.list projects.serviceAccounts.keys.list projects.serviceAccounts.keys.create "
        "projects.serviceAccounts.keys.enable projects.serviceAccounts.keys.disable projects.serviceAccounts.keys.delete"
    ),
    "secretmanager": (
        "projects.secrets.versions.list projects.secrets.addVersion projects.secrets.versions.disable"
    ),
}


def method_of(document: dict[str, Any], dotted: str) -> dict[str, Any]:
    *resources, name = dotted.split(".")
    node = document
    for resource in resources:
        node = node["resources"][resource]
    method: dict[str, Any] = node["methods"][name]
    return method


def shape_method(document: dict[str, Any], method: dict[str, Any]) -> dict[str, Any]:
    shape = {
        "verb": method["httpMethod"],
        "path": f"/{document['servicePath']}{method['path']}",
        "parameters": {
            name: {"in": entry["location"], **type_of(entry)}
            for name, entry in {**document["parameters"], **method.get("parameters", {})}.items()
        },
    }
    for side in ("request", "response"):
        if side in method:
            shape[side] = method[side]["$ref"]
    return shape


def type_of(entry: dict[str, Any]) -> dict[str, Any]:
    kept = {key: entry[key] for key in ("type", "$ref", "format", "enum", "pattern") if key in entry}
    if entry.get("required"):
        kept["required"] = True
    for inner in ("items", "additionalProperties"):
        if inner in entry:
            kept[inner] = type_of(entry[inner])
    if "properties" in entry:
        kept["properties"] = {name: type_of(field) for name, field in entry["properties"].items()}
    return kept


def references(shape: object) -> Iterator[str]:
    if isinstance(shape, dict):
        if isinstance(shape.get("$ref"), str):
            yield shape["$ref"]
        for value in shape.values():
            yield from references(value)


def reachable(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    todo = set(names)
    while todo:
        name = todo.pop()
        found[name] = type_of(document["schemas"][name])
        todo |= set(references(found[name])) - found.keys()
    return dict(sorted(found.items()))


def shape_api(document: dict[str, Any], dotted: str) -> dict[str, Any]:
    methods = {name: shape_method(document, method_of(document, name)) for name in dotted.split()}
    named = {shape[side] for shape in methods.values() for side in ("request", "response") if side in shape}
    return {"revision": document["revision"], "methods": methods, "messages": reachable(document, named)}


def main(folder: Path) -> None:
    documents = {api: json.loads((folder / f"{api}.v1.json").read_text(encoding="utf-8")) for api in METHODS}
    shapes = {api: shape_api(documents[api], dotted) for api, dotted in METHODS.items()}
    json.dump(shapes, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
