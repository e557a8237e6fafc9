"""CloudSploit's JSON: a flat list with a plugin's name and its verdict about one resource.

CloudSploit has no severities (engine.js: OK, WARN, FAIL, UNKNOWN), so ours stand in: what fails is high, what warns is medium. A newer
one that says `severity` is believed.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of, provider_of_region
from audit.ingest.fields import controls_by_framework, derived_id, text, texts
from audit.ingest.json_stream import outline
from audit.ingest.lists import read_list
from audit.ingest.model import Format, Item, no_stated_time

_NEEDED: Final = ("plugin", "category", "status", "message")
_VERDICTS: Final = {
    "OK": ("PASS", "INFO"),
    "WARN": ("FAIL", "MEDIUM"),
    "FAIL": ("FAIL", "HIGH"),
    "UNKNOWN": ("MANUAL", "INFO"),
}
_NOTHING: Final = "N/A"


def _sniff(head: bytes) -> bool:
    paths = outline(head)
    return any(all(prefix + name in paths for name in _NEEDED) for prefix in ("item.", ""))


def _read(stream: BinaryIO) -> Iterator[Item]:
    return read_list(stream, to_finding)


def to_finding(record: object) -> Finding:
    """Read one object. Its id is made of plugin, resource and region, so that it stays from report to report.

    Raises:
        InputError: not an object, without a plugin or a title, or with a status that CloudSploit does not have.
    """
    if not isinstance(record, dict):
        raise InputError("a finding must be an object")
    status, severity = _verdict(text(record, "status"))
    plugin, service = text(record, "plugin"), text(record, "category").lower()
    resource, region = _resource(record), " ".join(texts(record, "region"))
    place = place_of(resource)
    return Finding.from_dict(
        {
            "id": derived_id("cloudsploit", plugin, resource, region) if plugin else "",
            "title": text(record, "title") or plugin,
            "severity": text(record, "severity") or severity,
            "category": category_of(plugin, service),
            "resource": resource,
            "description": text(record, "description"),
            "remediation": text(record, "recommended_action"),
            "status": status,
            "check_id": plugin,
            "provider": place.provider or provider_of_region(region),
            "account_id": text(record, "account") or place.account_id,
            "region": region,
            "service": service,
            "evidence": text(record, "message"),
            "compliance": controls_by_framework(record.get("compliance")),
        }
    )


def _verdict(status: str) -> tuple[str, str]:
    try:
        return _VERDICTS[status.upper()]
    except KeyError:
        raise InputError(f"{status[:40]!r} is no status of CloudSploit ({', '.join(_VERDICTS)})") from None


def _resource(record: dict[str, object]) -> str:
    named = text(record, "resource")
    return "" if named == _NOTHING else named


FORMAT = Format("CloudSploit JSON", _sniff, _read, no_stated_time)
