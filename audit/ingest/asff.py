"""AWS Security Finding Format: Security Hub's findings, and what other scanners (Prowler among them) send there.

A bare list, `{"Findings": […]}` as `aws securityhub get-findings` prints it, or EventBridge events with `detail.findings`. The check is the
control's id (`S3.8`) where there is one, since playbooks are matched by it, and Prowler's check name in what Prowler wrote.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of
from audit.ingest.fields import first_text, first_url, instant, member, text, texts
from audit.ingest.frameworks import (
    ControlLists,
    from_prowler_requirements,
    from_requirements,
    join,
    standard_name,
)
from audit.ingest.lists import first_value, has_members, read_wrapped, wrapper_is_empty
from audit.ingest.model import Format, Item

_NEEDED: Final = frozenset({"ProductArn", "AwsAccountId", "GeneratorId"})
_PROWLER: Final = "prowler-"
_CONTROL: Final = re.compile(r"[A-Z][A-Za-z0-9]*\.\d+")
_ACCOUNT_PREFIX: Final = "AWS::::Account:"
_STATUSES: Final = {"PASSED": "PASS", "FAILED": "FAIL", "WARNING": "FAIL"}
_TIMES: Final = ("LastObservedAt", "UpdatedAt", "CreatedAt", "FirstObservedAt")


def _sniff(head: bytes) -> bool:
    return has_members(head, _NEEDED) or wrapper_is_empty(head)


def _stated_time(head: bytes) -> datetime | None:
    """Return the first finding's time: those of one export are of one scan, or near it."""
    return instant(first_value(head, "UpdatedAt"))


def _read(stream: BinaryIO) -> Iterator[Item]:
    return read_wrapped(stream, to_finding)


def to_finding(record: object) -> Finding:
    """Read one finding. Its first resource is the finding's resource; further ones are named in the evidence.

    Raises:
        InputError: not an object, or without an id, a title or a severity.
    """
    if not isinstance(record, dict):
        raise InputError("a finding must be an object")
    check_id, resource = _check_id(record), _resource(record)
    resource_type = text(record, "Resources", 0, "Type")
    service = _service(record, check_id)
    return Finding.from_dict(
        {
            "id": text(record, "Id"),
            "title": text(record, "Title"),
            "severity": _severity(record),
            "category": category_of(check_id, service, resource_type),
            "resource": resource,
            "description": text(record, "Description"),
            "remediation": text(record, "Remediation", "Recommendation", "Text"),
            "status": _status(record),
            "muted": _is_muted(record),
            "check_id": check_id,
            "resource_type": resource_type,
            "provider": "aws",
            "account_id": text(record, "AwsAccountId") or place_of(resource).account_id,
            "region": _region(record),
            "service": service,
            "evidence": _evidence(record),
            "reference_url": first_url(
                text(record, "Remediation", "Recommendation", "Url"), text(record, "SourceUrl")
            ),
            "observed_at": _observed_at(record),
            "compliance": _compliance(record, check_id),
        }
    )


def _check_id(record: dict[str, object]) -> str:
    control = text(record, "Compliance", "SecurityControlId") or text(record, "ProductFields", "ControlId")
    generator = text(record, "GeneratorId")
    if control or not generator:
        return control
    if generator.startswith(_PROWLER):
        return generator.removeprefix(_PROWLER)
    last = generator.rpartition("/")[2]
    return last if _CONTROL.fullmatch(last) else generator


def _resource(record: dict[str, object]) -> str:
    """Return the first resource's id; an account as its number, the way other scanners name it."""
    return text(record, "Resources", 0, "Id").removeprefix(_ACCOUNT_PREFIX)


def _severity(record: dict[str, object]) -> str:
    """Return the label, or what its number means (securityhub API reference, `Severity.Normalized`)."""
    if label := text(record, "Severity", "Label"):
        return label
    normalized = member(record, "Severity", "Normalized")
    if isinstance(normalized, bool) or not isinstance(normalized, (int, float)):
        return ""
    limits = ((1, "INFO"), (40, "LOW"), (70, "MEDIUM"), (90, "HIGH"))
    return next((word for limit, word in limits if normalized < limit), "CRITICAL")


def _status(record: dict[str, object]) -> str:
    """Return the verdict. Without one (GuardDuty, Inspector) the finding itself says that something is wrong."""
    if stated := text(record, "Compliance", "Status").upper():
        return _STATUSES.get(stated, "MANUAL")
    return "PASS" if text(record, "Workflow", "Status") == "RESOLVED" else "FAIL"


def _is_muted(record: dict[str, object]) -> bool:
    """Tell whether somebody suppressed it, or its resource or check is gone."""
    return text(record, "Workflow", "Status") == "SUPPRESSED" or text(record, "RecordState") == "ARCHIVED"


def _service(record: dict[str, object], check_id: str) -> str:
    """Return the service: Prowler's checks begin with it, and so do control ids."""
    if text(record, "GeneratorId").startswith(_PROWLER):
        return check_id.partition("_")[0]
    if _CONTROL.fullmatch(check_id):
        return check_id.partition(".")[0].lower()
    return place_of(_resource(record)).service or text(record, "ProductName").lower()


def _region(record: dict[str, object]) -> str:
    stated = text(record, "Resources", 0, "Region") or text(record, "Region")
    return stated or place_of(text(record, "ProductArn")).region


def _evidence(record: dict[str, object]) -> str:
    """Return the sentences about this very resource. Prowler has its one in the description."""
    resources = member(record, "Resources")
    further = [text(entry, "Id") for entry in resources[1:]] if isinstance(resources, list) else []
    said = [text(record, "Compliance", "StatusReasons", 0, "Description")]
    if text(record, "GeneratorId").startswith(_PROWLER):
        said.append(text(record, "Description"))
    if any(further):
        said.append(f"Also: {', '.join(filter(None, further))}")
    return " ".join(filter(None, said))


def _observed_at(record: dict[str, object]) -> datetime | None:
    return instant(first_text(record, *_TIMES))


def _compliance(record: dict[str, object], check_id: str) -> ControlLists:
    requirements = texts(record, "Compliance", "RelatedRequirements")
    if text(record, "GeneratorId").startswith(_PROWLER):
        return from_prowler_requirements(requirements)
    return join(from_requirements(requirements), _by_standard(record, check_id))


def _by_standard(record: dict[str, object], check_id: str) -> ControlLists:
    """Return the control under each standard that this finding counts for; the older form names one, in the generator."""
    standards = member(record, "Compliance", "AssociatedStandards")
    entries = standards if isinstance(standards, list) else []
    stated = [text(entry, "StandardsId") for entry in entries] or [text(record, "GeneratorId")]
    names = filter(None, map(standard_name, stated))
    # Of the CIS the related requirements give the benchmark's own numbers, which an id such as S3.8 is not.
    return {name: [check_id] for name in names if check_id and not name.startswith("CIS-")}


FORMAT = Format("AWS Security Finding Format", _sniff, _read, _stated_time)
