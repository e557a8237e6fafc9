"""Security Hub v2: OCSF findings of the classes 2003 (compliance) and 2004 (detection), as AWS writes them.

Verdicts stand in `compliance.status`; a detection has none and is itself the news. Times are milliseconds. The check is the control's
id (`S3.8`) or, for a detection, its type (`Execution:Runtime/NewBinaryExecuted`).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of
from audit.ingest.fields import first_url, instant, member, text, texts
from audit.ingest.frameworks import ControlLists, from_requirements, join, standard_name
from audit.ingest.lists import first_value, has_members, read_wrapped
from audit.ingest.model import Format, Item
from audit.ingest.ocsf import is_muted, severity_of

_COMPLIANCE, _DETECTION = "2003", "2004"
_NEEDED: Final = frozenset({"class_uid", "finding_info", "metadata"})
_RESOLVED_ID: Final = "4"
_STATUS_BY_ID: Final = {"1": "PASS", "2": "FAIL", "3": "FAIL"}
"""`compliance.status_id`: 1 pass, 2 warning, 3 fail; 0 unknown and 99 other need a person."""

_ACCOUNT_TYPE: Final = "AWS::::Account"


def _sniff(head: bytes) -> bool:
    return has_members(head, _NEEDED)


def _stated_time(head: bytes) -> datetime | None:
    return instant(first_value(head, "time_dt"), first_value(head, "time"))


def _read(stream: BinaryIO) -> Iterator[Item]:
    return read_wrapped(stream, to_finding)


def to_finding(record: object) -> Finding:
    """Read one finding.

    Raises:
        InputError: not an object, of another class, or without an id, a title or a severity.
    """
    if not isinstance(record, dict):
        raise InputError("a finding must be an object")
    _check_class(record)
    info, resource = member(record, "finding_info"), member(record, "resources", 0)
    check_id, identifier = _check_id(record), _resource(resource)
    service = _service(record, check_id, identifier)
    return Finding.from_dict(
        {
            "id": text(info, "uid"),
            "title": text(info, "title"),
            "severity": severity_of(record),
            "category": category_of(check_id, service, text(resource, "type")),
            "resource": identifier,
            "description": text(info, "desc"),
            "remediation": text(record, "remediation", "desc"),
            "status": _status(record),
            "muted": is_muted(record),
            "check_id": check_id,
            "resource_type": _resource_type(resource),
            "provider": text(record, "cloud", "provider").lower(),
            "account_id": text(resource, "owner", "account", "uid")
            or text(record, "cloud", "account", "uid"),
            "region": text(resource, "region") or text(record, "cloud", "region"),
            "service": service,
            "evidence": _evidence(record),
            "reference_url": first_url(*texts(record, "remediation", "references")),
            "observed_at": _observed_at(record, info),
            "compliance": _compliance(record, check_id),
        }
    )


def _check_class(record: dict[str, object]) -> None:
    class_uid = text(record, "class_uid")
    if class_uid not in (_COMPLIANCE, _DETECTION):
        raise InputError(
            f"OCSF class {class_uid[:20]!r} is not read, only {_COMPLIANCE} (compliance) and {_DETECTION} (detection)"
        )


def _check_id(record: dict[str, object]) -> str:
    """Return the control's id, or the last of the detection's types: they go from the general to the special."""
    types = texts(record, "finding_info", "types")
    analytic = text(record, "finding_info", "analytic", "name")
    return text(record, "compliance", "control") or analytic or (types[-1] if types else "")


def _resource(resource: object) -> str:
    return text(resource, "uid") or text(resource, "name") or text(resource, "device", "name")


def _resource_type(resource: object) -> str:
    """Return the type as scanners write it: `AwsS3Bucket` for `AWS::S3::Bucket`."""
    stated = text(resource, "type")
    parts = [part for part in stated.split("::") if part]
    if parts[:1] != ["AWS"] or stated == _ACCOUNT_TYPE:
        return "AwsAccount" if stated == _ACCOUNT_TYPE else stated
    return "Aws" + "".join(
        part[:1].upper() + part[1:].lower() if part.isupper() else part for part in parts[1:]
    )


def _service(record: dict[str, object], check_id: str, resource: str) -> str:
    """Return the service: control ids begin with it, and so do types (`AWS::EC2::Instance`)."""
    if text(record, "compliance", "control"):
        return check_id.partition(".")[0].lower()
    typed = text(record, "resources", 0, "type").split("::")
    named = typed[1].lower() if typed[0] == "AWS" and len(typed) > 1 else ""
    return named or place_of(resource).service or text(record, "metadata", "product", "name").lower()


def _status(record: dict[str, object]) -> str:
    status = member(record, "compliance")
    if isinstance(status, dict):
        return _STATUS_BY_ID.get(text(status, "status_id")) or text(status, "status") or "MANUAL"
    return "PASS" if text(record, "status_id") == _RESOLVED_ID else "FAIL"


def _evidence(record: dict[str, object]) -> str:
    assessments = member(record, "compliance", "assessments")
    entries = assessments if isinstance(assessments, list) else []
    said = [text(entry, "desc") for entry in entries if member(entry, "meets_criteria") is not True]
    return " ".join(filter(None, said)) or text(record, "status_detail") or text(record, "message")


def _observed_at(record: dict[str, object], info: object) -> datetime | None:
    seen = instant(member(info, "last_seen_time_dt"), member(info, "last_seen_time"))
    return seen or instant(record.get("time_dt"), record.get("time"))


def _compliance(record: dict[str, object], check_id: str) -> ControlLists:
    """Return what the finding counts for. Of a CIS benchmark the requirements have the numbers, the standards the version."""
    standards = [name for name in map(standard_name, texts(record, "compliance", "standards")) if name]
    requirements = from_requirements(texts(record, "compliance", "requirements"))
    cis = next((name for name in standards if name.startswith("CIS-")), None)
    if cis and (numbers := requirements.pop("CIS AWS Foundations", None)):
        requirements[cis] = numbers
    others = {name: [check_id] for name in standards if check_id and not name.startswith("CIS-")}
    return join(requirements, others)


FORMAT = Format("Security Hub OCSF", _sniff, _read, _stated_time)
