"""ScoutSuite's results: rules with the places they flag, and the resources at those places, in one document.

The file is JSON after `scoutsuite_results =`. A rule names its places by path (`s3.buckets.HASH.logging`); how much of it is the
resource stands in the rule's own `path` (`s3.buckets.id`). The resource's own id is looked up there in a second pass. A rule that
flags nothing says nothing about a resource, so only flagged ones become findings. What is flagged is kept in memory while the
document is read, at most `MAX_FLAGGED` places.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of
from audit.ingest.fields import first_url, instant
from audit.ingest.json_stream import PREAMBLE, outline
from audit.ingest.json_walk import Scalar, walk_scalars
from audit.ingest.model import Format, Item, to_items

MAX_FLAGGED: Final = 200_000
_OWN_IDS: Final = ("arn", "self_link", "name", "id")
"""Best first: a name that the cloud gave before an id that may be ScoutSuite's own hash."""

_LEVELS: Final = {"danger": "HIGH", "warning": "MEDIUM"}
_RESOURCE_TYPES: Final = {
    ("aws", "buckets"): "AwsS3Bucket",
    ("aws", "security_groups"): "AwsEc2SecurityGroup",
    ("aws", "volumes"): "AwsEc2Volume",
    ("aws", "snapshots"): "AwsEc2Snapshot",
    ("aws", "users"): "AwsIamUser",
    ("aws", "trails"): "AwsCloudTrailTrail",
    ("aws", "functions"): "AwsLambdaFunction",
    ("gcp", "buckets"): "storage.googleapis.com/Bucket",
    ("gcp", "firewalls"): "compute.googleapis.com/Firewall",
    ("gcp", "instances"): "compute.googleapis.com/Instance",
}
Place = tuple[str, ...]


@dataclass(slots=True)
class _Rule:
    """What a rule says, gathered scalar by scalar."""

    service: str
    name: str
    texts: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    controls: dict[str, dict[str, str]] = field(default_factory=dict)
    flagged: list[Place] = field(default_factory=list)

    def add(self, rest: Place, name: str, value: Scalar) -> None:
        """Keep a scalar that stands in the rule, or in a list of it."""
        if not isinstance(value, str):
            return
        if not rest:
            self.texts[name] = value
        elif rest == ("items",):
            self.flagged.append(tuple(value.split(".")))
        elif rest == ("references",):
            self.references.append(value)
        elif rest[:1] == ("compliance",):
            self.controls.setdefault(rest[-1], {})[name] = value

    def resource_at(self, place: Place) -> Place:
        """Return the beginning of a flagged place that is the resource."""
        depth = len(self.texts.get("path", "").split("."))
        return place[:depth] if self.texts.get("path") else place

    def compliance(self) -> dict[str, list[str]]:
        """Return the controls by framework and version."""
        found: dict[str, list[str]] = {}
        for control in self.controls.values():
            framework = f"{control.get('name', '')} {control.get('version', '')}".strip()
            if framework and control.get("reference"):
                found.setdefault(framework, []).append(control["reference"])
        return found


@dataclass(slots=True)
class _Results:
    """All that is kept of a document."""

    provider: str = ""
    account: str = ""
    time: str = ""
    rules: dict[tuple[str, str], _Rule] = field(default_factory=dict)
    own_ids: dict[Place, dict[str, str]] = field(default_factory=dict)


def _sniff(head: bytes) -> bool:
    if head.lstrip().startswith(b"scoutsuite_results"):
        return True
    paths = outline(head).keys()
    return "provider_code" in paths and "last_run.ruleset_name" in paths


def _stated_time(head: bytes) -> datetime | None:
    stated = outline(PREAMBLE.sub(b"", head, count=1)).get("last_run.time")
    return instant(stated)


def _read(stream: BinaryIO) -> Iterator[Item]:
    results = _read_rules(stream)
    _read_own_ids(stream, results)
    return to_items(_flagged(results), lambda record: _to_finding(record, results))


def _read_rules(stream: BinaryIO) -> _Results:
    results, flagged = _Results(), 0
    for path, name, value in walk_scalars(stream):
        if not path:
            _note(results, name, value)
        elif path == ("last_run",) and name == "time":
            results.time = str(value)
        elif len(path) >= 4 and path[0] == "services" and path[2] == "findings":  # noqa: PLR2004 - services, S, findings, rule
            key = path[1], path[3]
            results.rules.setdefault(key, _Rule(*key)).add(path[4:], name, value)
            flagged += path[4:] == ("items",)
            if flagged > MAX_FLAGGED:
                raise InputError(f"flags more than {MAX_FLAGGED:,} resources, in services.{path[1]}")
    return results


def _note(results: _Results, name: str, value: Scalar) -> None:
    if name == "provider_code":
        results.provider = str(value)
    elif name == "account_id" and value is not None:
        results.account = str(value)


def _read_own_ids(stream: BinaryIO, results: _Results) -> None:
    wanted = {
        ("services", *rule.resource_at(place)) for rule in results.rules.values() for place in rule.flagged
    }
    for path, name, value in walk_scalars(stream):
        if name in _OWN_IDS and path in wanted and isinstance(value, str):
            results.own_ids.setdefault(path[1:], {})[name] = value


def _flagged(results: _Results) -> Iterator[tuple[_Rule, Place]]:
    for rule in results.rules.values():
        yield from ((rule, place) for place in rule.flagged)


def _to_finding(record: object, results: _Results) -> Finding:
    assert isinstance(record, tuple)  # noqa: S101 - made by `_flagged`; narrows the type
    rule, place = record
    at = rule.resource_at(place)
    ids = results.own_ids.get(at, {})
    resource = next((ids[name] for name in _OWN_IDS if ids.get(name)), ".".join(at))
    return Finding.from_dict(
        {
            "id": f"scoutsuite-{rule.name}-{'.'.join(place)}",
            "title": rule.texts.get("description") or rule.name,
            "severity": _LEVELS.get(rule.texts.get("level", ""), rule.texts.get("level", "")),
            "category": category_of(rule.name, rule.service),
            "resource": resource,
            "description": rule.texts.get("rationale"),
            "remediation": rule.texts.get("remediation"),
            "check_id": rule.name,
            "resource_type": _resource_type(rule, results.provider),
            "provider": results.provider,
            "account_id": results.account or place_of(resource).account_id,
            "region": _after("regions", at) or place_of(resource).region,
            "service": rule.service,
            "evidence": f"Flagged at {'.'.join(place)}",
            "reference_url": first_url(*rule.references),
            "observed_at": instant(results.time),
            "compliance": rule.compliance(),
        }
    )


def _after(name: str, place: Place) -> str:
    return next((found for before, found in pairwise(place) if before == name), "")


def _resource_type(rule: _Rule, provider: str) -> str:
    kinds = [part for part in rule.texts.get("path", "").split(".") if part != "id"]
    kind = kinds[-1] if kinds else ""
    return _RESOURCE_TYPES.get((provider, kind)) or kind


FORMAT = Format("ScoutSuite", _sniff, _read, _stated_time)
