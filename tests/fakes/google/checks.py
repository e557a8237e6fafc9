"""Holds each request and each answer to Google's discovery documents (`shapes.json`)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "any": (object,),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A method of an API, and the parameters in its path."""

    api: str
    method: str
    shape: Mapping[str, Any]
    path: Mapping[str, str]


@cache
def shapes() -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))
    return read


def find_call(verb: str, path: str) -> Call | None:
    """Return the method that answers a verb at a path; None where none we know does."""
    for api, document in shapes().items():
        for name, shape in document["methods"].items():
            if shape["verb"] == verb and (match := re.fullmatch(_pattern(shape), path)):
                return Call(api, name, shape, match.groupdict())
    return None


def _pattern(shape: Mapping[str, Any]) -> str:
    """Turn a path template into a pattern that holds each parameter to its own."""

    def parameter(found: re.Match[str]) -> str:
        own = str(shape["parameters"][found[1]].get("pattern", "[^/]+")).strip("^$")
        return f"(?P<{found[1]}>{own})"

    return re.sub(r"\\\{(?:\\\+)?(\w+)\\\}", parameter, re.escape(shape["path"]))


def faults_of_request(call: Call, query: Mapping[str, list[str]], body: object) -> list[str]:
    """Return what is wrong with a request."""
    parameters = call.shape["parameters"]
    wrong = [f"no parameter {name}" for name in query if parameters.get(name, {}).get("in") != "query"]
    for name, values in query.items():
        allowed = parameters.get(name, {}).get("enum")
        wrong += [f"{name}={value}" for value in values if allowed and value not in allowed]
    required = {
        name for name, entry in parameters.items() if entry.get("required") and entry["in"] == "query"
    }
    wrong += [f"{name} is missing" for name in required - query.keys()]
    if "request" in call.shape:
        return wrong + list(_faults(call.api, {"$ref": call.shape["request"]}, body, "body"))
    return wrong + (["a body where none belongs"] if body is not None else [])


def faults_of_answer(call: Call, body: object) -> list[str]:
    """Return what is wrong with an answer."""
    if "response" not in call.shape:
        return []
    return list(_faults(call.api, {"$ref": call.shape["response"]}, body, "answer"))


def _faults(api: str, shape: Mapping[str, Any], value: object, at: str) -> Iterator[str]:
    if "$ref" in shape:
        shape = shapes()[api]["messages"][shape["$ref"]]
    if value is None:
        return  # what clears a field in a JSON merge patch
    kinds = JSON_TYPES[shape["type"]]
    if not isinstance(value, kinds) or (
        isinstance(value, bool) and bool not in kinds and object not in kinds
    ):
        yield f"{at} is {type(value).__name__}, not {shape['type']}"
    elif shape.get("enum") and value not in shape["enum"]:
        yield f"{at} is {value}, which is none of {shape['enum']}"
    elif isinstance(value, list):
        for position, entry in enumerate(value):
            yield from _faults(api, shape["items"], entry, f"{at}[{position}]")
    elif isinstance(value, dict):
        yield from _faults_of_object(api, shape, value, at)


def _faults_of_object(api: str, shape: Mapping[str, Any], value: dict[str, Any], at: str) -> Iterator[str]:
    fields, others = shape.get("properties", {}), shape.get("additionalProperties")
    for name, entry in value.items():
        if name in fields:
            yield from _faults(api, fields[name], entry, f"{at}.{name}")
        elif others:
            yield from _faults(api, others, entry, f"{at}.{name}")
        else:
            yield f"{at} has no field {name}"
