"""OCSF detection findings (class 2004) as Prowler 4 and 5 write them: a list, or one object after another.

Prowler puts the check's name into `metadata.event_code` and the verdict into `status_code`
(prowler/lib/outputs/ocsf/ocsf.py); OCSF itself knows neither use.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.fields import controls_by_framework, first_url, instant, member, text, texts
from audit.ingest.json_repeats import Repeats
from audit.ingest.json_stream import outline
from audit.ingest.lists import read_list
from audit.ingest.model import Format, Item

_DETECTION_FINDING = "2004"
_SUPPRESSED_ID = "3"
_CHECK = re.compile(rb'"event_code"[ \t\r\n]*:[ \t\r\n]*"([^"\\]{1,200})"')
_SEVERITY_BY_ID = {
    "1": "INFO",
    "2": "LOW",
    "3": "MEDIUM",
    "4": "HIGH",
    "5": "CRITICAL",
    "6": "CRITICAL",
}
"""OCSF's `severity_id`; 0 is unknown, 6 fatal, 99 a word of the scanner's own."""


def _sniff(head: bytes) -> bool:
    keys = {path.removeprefix("item.") for path in outline(head)}
    return "metadata.event_code" in keys and bool(
        keys & {"class_uid", "finding_info", "severity_id", "status_code"}
    )


def _stated_time(head: bytes) -> datetime | None:
    """Return the first finding's time: all findings of a Prowler run carry the time of the run."""
    found = {path.removeprefix("item."): value for path, value in outline(head).items()}
    return instant(found.get("time_dt"), found.get("time"))


def _read(stream: BinaryIO) -> Iterator[Item]:
    repeats = Repeats(kind=_CHECK, path=("unmapped", "compliance"), convert=controls_by_framework)
    return read_list(stream, to_finding, repeats.loads)


def to_finding(record: object) -> Finding:
    """Read one OCSF object. Its first resource is the finding's resource; optional parts may be missing or odd.

    Raises:
        InputError: not an object, of another class, or without an id, a title or a severity.
    """
    if not isinstance(record, dict):
        raise InputError("a finding must be an object")
    _check_class(record)
    info, resource = member(record, "finding_info"), member(record, "resources", 0)
    check_id = text(record, "metadata", "event_code")
    service = _service(resource, check_id)
    return Finding.from_dict(
        {
            "id": text(info, "uid"),
            "title": text(info, "title") or check_id,
            "severity": severity_of(record),
            "category": category_of(check_id, service),
            "resource": text(resource, "uid") or text(resource, "name"),
            "description": text(info, "desc") or text(record, "risk_details"),
            "remediation": text(record, "remediation", "desc"),
            "status": text(record, "status_code"),
            "check_id": check_id,
            "resource_type": text(resource, "type"),
            "provider": _provider(record),
            "account_id": _account(record, resource),
            "region": _region(record, resource),
            "service": service,
            "evidence": text(record, "status_detail") or text(record, "message"),
            "reference_url": _reference_url(record),
            "muted": is_muted(record),
            "observed_at": _observed_at(record, info),
            "compliance": controls_by_framework(member(record, "unmapped", "compliance")),
        }
    )


def _check_class(record: dict[str, object]) -> None:
    class_uid = text(record, "class_uid")
    if class_uid not in ("", _DETECTION_FINDING):
        raise InputError(
            f"OCSF class {class_uid[:20]!r} is not read, only {_DETECTION_FINDING} (detection finding)"
        )


def severity_of(record: dict[str, object]) -> str:
    """Return the word for OCSF's number, or the scanner's own."""
    return _SEVERITY_BY_ID.get(text(record, "severity_id")) or text(record, "severity")


def is_muted(record: dict[str, object]) -> bool:
    """Tell whether somebody suppressed the finding."""
    return text(record, "status").casefold() == "suppressed" or text(record, "status_id") == _SUPPRESSED_ID


def _service(resource: object, check_id: str) -> str:
    """Return the service's short name; a Prowler check's name begins with it."""
    return text(resource, "group", "name") or check_id.partition("_")[0]


def _provider(record: dict[str, object]) -> str:
    """Return the cloud's name. Prowler gives what is about a cluster no `cloud`, but the container profile."""
    named = text(record, "cloud", "provider").lower()
    return named or ("kubernetes" if "container" in texts(record, "metadata", "profiles") else "")


def _account(record: dict[str, object], resource: object) -> str:
    """Return the account, or the cluster's name where there is no account."""
    return text(record, "cloud", "account", "uid") or text(resource, "cluster", "name")


def _region(record: dict[str, object], resource: object) -> str:
    """Return the resource's region, or its namespace where there are no regions."""
    return text(resource, "region") or text(record, "cloud", "region") or text(resource, "namespace")


def _reference_url(record: dict[str, object]) -> str:
    return (
        first_url(text(record, "unmapped", "related_url"))
        or first_url(*texts(record, "remediation", "references"))
        or first_url(*texts(record, "unmapped", "additional_urls"))
    )


def _observed_at(record: dict[str, object], info: object) -> datetime | None:
    found = instant(member(info, "created_time_dt"), member(info, "created_time"))
    return found or instant(record.get("time_dt"), record.get("time"))


FORMAT = Format("Prowler OCSF", _sniff, _read, _stated_time)
