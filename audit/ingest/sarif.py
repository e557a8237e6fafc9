"""SARIF 2.1.0: results of any analyzer, with the rules they refer to.

A result names its rule by id or by place in its own run's list, and either may come first in the file. So it is walked through once
to count what each run holds, and read twice: rules, then results. Rules of a tool's extensions are not looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from urllib.parse import unquote

import ijson

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of
from audit.ingest.fields import derived_id, first_text, first_url, instant, member, text
from audit.ingest.json_stream import BLOCK_BYTES, NOT_JSON, Source, broken, outline, stream_values
from audit.ingest.model import Format, Item, no_stated_time, to_items

MAX_RULES: Final = 25_000
_RULES: Final = "runs.item.tool.driver.rules.item"
_RESULTS: Final = "runs.item.results.item"
_BY_LEVEL: Final = {"error": "HIGH", "warning": "MEDIUM", "note": "LOW", "none": "INFO"}
_BY_SCORE: Final = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"))
"""Where GitHub draws the lines in `security-severity`."""

_NO_VALUES: Final = frozenset({"map_key", "end_map", "end_array"})
_KINDS: Final = {"": "FAIL", "fail": "FAIL", "pass": "PASS"}
_IN_FORCE: Final = frozenset({"", "accepted"})
Rule = dict[str, object]


@dataclass(slots=True)
class _Run:
    """How much a run holds, and its rules by id and in order."""

    rule_count: int = 0
    result_count: int = 0
    tool: str = ""
    rules: list[Rule] = field(default_factory=list)
    by_id: dict[str, Rule] = field(default_factory=dict)

    def rule_of(self, result: object) -> Rule:
        """Return the result's rule, an empty one where it is not there."""
        name = text(result, "ruleId") or text(result, "rule", "id")
        if found := self.by_id.get(name):
            return found
        place = member(result, "ruleIndex") if not name else None
        is_place = isinstance(place, int) and 0 <= place < len(self.rules)
        return self.rules[place] if is_place and isinstance(place, int) else {}


def _sniff(head: bytes) -> bool:
    paths = outline(head).keys()
    return "runs" in paths and any(
        path.startswith(("runs.item.tool", "runs.item.results")) or path == "$schema" for path in paths
    )


def _read(stream: BinaryIO) -> Iterator[Item]:
    runs = _count(stream)
    _read_rules(stream, runs)
    return to_items(_paired(stream, runs), _to_finding)


def _count(stream: BinaryIO) -> list[_Run]:
    source, runs = Source(stream), list[_Run]()
    try:
        for place, event, value in ijson.parse(source, buf_size=BLOCK_BYTES, use_float=True):
            source.since_value = 0
            if place == "runs.item" and event == "start_map":
                runs.append(_Run())
            elif place == "runs.item.tool.driver.name" and event == "string":
                runs[-1].tool = value
            elif place in (_RULES, _RESULTS) and event not in _NO_VALUES:
                runs[-1].rule_count += place == _RULES
                runs[-1].result_count += place == _RESULTS
    except NOT_JSON as error:
        raise broken(source, error, is_sequence=False) from None
    if sum(run.rule_count for run in runs) > MAX_RULES:
        raise InputError(f"has more than {MAX_RULES:,} rules")
    return runs


def _read_rules(stream: BinaryIO, runs: list[_Run]) -> None:
    rules = stream_values(stream, _RULES)
    for run in runs:
        for _ in range(run.rule_count):
            rule = next(rules, None)
            kept = _slim(rule)
            run.rules.append(kept)
            run.by_id.setdefault(text(kept, "id"), kept)


def _slim(rule: object) -> Rule:
    """Return what findings need of a rule."""
    return {
        "id": text(rule, "id"),
        "title": text(rule, "shortDescription", "text") or first_text(rule, "name", "id"),
        "description": text(rule, "fullDescription", "text"),
        "help": text(rule, "help", "text"),
        "url": text(rule, "helpUri"),
        "level": text(rule, "defaultConfiguration", "level"),
        "score": text(rule, "properties", "security-severity"),
        "severity": text(rule, "properties", "severity"),
    }


def _paired(stream: BinaryIO, runs: list[_Run]) -> Iterator[tuple[_Run, object]]:
    results = stream_values(stream, _RESULTS)
    for run in runs:
        for _ in range(run.result_count):
            yield run, next(results, None)


def _to_finding(record: object) -> Finding:
    assert isinstance(record, tuple)  # noqa: S101 - made by `_paired`; narrows the type
    run, result = record
    if not isinstance(result, dict):
        raise InputError("a result must be an object")
    rule = run.rule_of(result)
    check_id = text(result, "ruleId") or text(result, "rule", "id") or text(rule, "id")
    message, resource = text(result, "message", "text"), _resource(result)
    place = place_of(resource)
    return Finding.from_dict(
        {
            "id": _id(result, check_id, resource, message),
            "title": text(rule, "title") or check_id or message,
            "severity": _severity(result, rule),
            "category": category_of(check_id, place.service),
            "resource": resource,
            "description": text(rule, "description"),
            "remediation": text(rule, "help"),
            "status": _status(result),
            "muted": _is_muted(result),
            "check_id": check_id,
            "provider": place.provider,
            "account_id": text(result, "properties", "account") or place.account_id,
            "region": text(result, "properties", "region") or place.region,
            "service": place.service,
            "evidence": message,
            "reference_url": first_url(text(result, "hostedViewerUri"), text(rule, "url")),
            "observed_at": instant(member(result, "provenance", "lastDetectionTimeUtc")),
        }
    )


def _id(result: object, check_id: str, resource: str, message: str) -> str:
    """Return the analyzer's own id, or one made of what the result is about."""
    stated = text(result, "properties", "findingId") or text(result, "guid")
    line = text(result, "locations", 0, "physicalLocation", "region", "startLine")
    return stated or derived_id("sarif", check_id, resource, line, message)


def _resource(result: object) -> str:
    """Return the resource that a scanner of clouds names, else the file; addresses come escaped."""
    logical = member(result, "locations", 0, "logicalLocations", 0)
    named, file = text(logical, "fullyQualifiedName"), member(result, "locations", 0, "physicalLocation")
    is_resource = text(logical, "kind") == "resource" or place_of(named).provider
    return named if is_resource else unquote(text(file, "artifactLocation", "uri")) or named


def _severity(result: object, rule: Rule) -> str:
    stated = text(result, "properties", "severity") or text(rule, "severity")
    if stated.lower() in _BY_LEVEL:
        return _BY_LEVEL[stated.lower()]
    score = text(result, "properties", "security-severity") or text(rule, "score")
    level = text(result, "level") or text(rule, "level") or "warning"
    return stated or _by_score(score) or _BY_LEVEL.get(level, level)


def _by_score(score: str) -> str:
    try:
        number = float(score)
    except ValueError:
        return ""
    return next((word for least, word in _BY_SCORE if number >= least), "INFO")


def _status(result: object) -> str:
    if text(result, "baselineState") == "absent":  # it was there in an earlier run, and is not any more
        return "PASS"
    return _KINDS.get(text(result, "kind"), "MANUAL")


def _is_muted(result: object) -> bool:
    """Tell whether a suppression is in force: one that is under review or rejected is not."""
    suppressions = member(result, "suppressions")
    entries = suppressions if isinstance(suppressions, list) else []
    return any(text(entry, "status") in _IN_FORCE for entry in entries)


# A run's times stand anywhere in the file.
FORMAT = Format("SARIF", _sniff, _read, no_stated_time)
