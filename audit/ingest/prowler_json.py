"""Prowler 3's own JSON: a list of objects with Prowler's field names (prowler/lib/outputs/models.py of 3.x)."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.fields import controls_by_framework, first_text, first_url, instant, text
from audit.ingest.json_stream import outline
from audit.ingest.lists import read_list
from audit.ingest.model import Format, Item, no_stated_time

_NEEDED: Final = ("CheckID", "Status", "StatusExtended")


def _sniff(head: bytes) -> bool:
    paths = outline(head)
    return any(all(prefix + name in paths for name in _NEEDED) for prefix in ("item.", ""))


def _read(stream: BinaryIO) -> Iterator[Item]:
    return read_list(stream, to_finding)


def to_finding(record: object) -> Finding:
    """Read one object.

    Raises:
        InputError: not an object, or without an id, a title or a severity.
    """
    if not isinstance(record, dict):
        raise InputError("a finding must be an object")
    check_id = text(record, "CheckID")
    service = text(record, "ServiceName") or check_id.partition("_")[0]
    resource_type = text(record, "ResourceType")
    return Finding.from_dict(
        {
            "id": text(record, "FindingUniqueId"),
            "title": text(record, "CheckTitle") or check_id,
            "severity": text(record, "Severity"),
            "category": category_of(check_id, service, resource_type),
            "resource": first_text(record, "ResourceArn", "ResourceId", "ResourceName"),
            "description": first_text(record, "Description", "Risk"),
            "remediation": text(record, "Remediation", "Recommendation", "Text"),
            "status": text(record, "Status"),
            "check_id": check_id,
            "resource_type": resource_type,
            "provider": text(record, "Provider").lower(),
            "account_id": first_text(record, "AccountId", "Subscription", "ProjectId"),
            "region": first_text(record, "Region", "Location"),
            "service": service,
            "evidence": text(record, "StatusExtended"),
            "reference_url": first_url(
                text(record, "RelatedUrl"), text(record, "Remediation", "Recommendation", "Url")
            ),
            "observed_at": instant(record.get("AssessmentStartTime")),
            "compliance": controls_by_framework(record.get("Compliance")),
        }
    )


# Prowler 3 writes the local time of a machine whose zone nobody knows.
FORMAT = Format("Prowler 3 JSON", _sniff, _read, no_stated_time)
