"""OCSF detection findings (class 2004), a JSON list, in the fields our own ingest and Prowler's readers look at.

What OCSF has no place for (the controls, the category, the reference) goes under `unmapped`, as Prowler does it. Times are in
milliseconds, as OCSF's `timestamp_t` wants them; Prowler writes seconds.
"""

from datetime import UTC, datetime

from audit.findings import Finding, FindingDict, Severity
from audit.report import EXPORT_VERSION
from exporters.json_document import to_json
from exporters.outcome import ByteSink, Passage, Written
from exporters.source import ReportSource

OCSF_VERSION = "1.4.0"
_SEVERITY_IDS = {
    Severity.INFO: 1,
    Severity.LOW: 2,
    Severity.MEDIUM: 3,
    Severity.HIGH: 4,
    Severity.CRITICAL: 5,
}
_SEVERITY_WORDS = {Severity.INFO: "Informational"}
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_AWS_ACCOUNT, _OTHER_ACCOUNT = 10, 99
_CLASS: dict[str, object] = {
    "activity_id": 1,
    "activity_name": "Create",
    "category_name": "Findings",
    "category_uid": 2,
    "class_name": "Detection Finding",
    "class_uid": 2004,
    "type_name": "Detection Finding: Create",
    "type_uid": 200401,
}


def write_ocsf(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:  # noqa: ARG001 - times are the scan's
    """Write every finding, passed and muted ones too."""
    passage, scanned = Passage(), source.header.generated_at

    def event(record: FindingDict) -> bytes:
        return to_json(_event(Finding.from_dict(record), scanned))

    lead = b"["
    for fragment in passage.each(source.records(), event):
        out.write(lead + fragment)
        lead = b",\n"
    out.write(b"]" if lead != b"[" else b"[]")
    return passage.written()


def _event(finding: Finding, scanned: datetime) -> dict[str, object]:
    status_id, status = _SUPPRESSED if finding.muted else _NEW
    moment = finding.observed_at or scanned
    return {
        **_CLASS,
        "metadata": _metadata(finding),
        "severity_id": _SEVERITY_IDS[finding.severity],
        "severity": _SEVERITY_WORDS.get(finding.severity, finding.severity.capitalize()),
        "status_id": status_id,
        "status": status,
        "status_code": finding.status.value,
        **({"status_detail": finding.evidence, "message": finding.evidence} if finding.evidence else {}),
        "time": _milliseconds(moment),
        "time_dt": moment.astimezone(UTC).isoformat(),
        "finding_info": _info(finding, moment),
        "resources": [_resource(finding)],
        **_cloud(finding),
        "remediation": _remediation(finding),
        "unmapped": _unmapped(finding),
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _metadata(finding: Finding) -> dict[str, object]:
    return {
        "event_code": finding.check_id,
        "product": {"name": "Countersign", "vendor_name": "Countersign", "version": EXPORT_VERSION},
        "profiles": ["cloud", "datetime"] if _is_in_a_cloud(finding) else ["datetime"],
        "version": OCSF_VERSION,
    }


def _info(finding: Finding, moment: datetime) -> dict[str, object]:
    return {
        "uid": finding.id,
        "title": finding.title,
        "desc": finding.description,
        "types": [finding.category] if finding.category else [],
        "created_time": _milliseconds(moment),
        "created_time_dt": moment.astimezone(UTC).isoformat(),
    }


def _resource(finding: Finding) -> dict[str, object]:
    return {
        "uid": finding.resource,
        "type": finding.resource_type,
        "region": finding.region,
        "group": {"name": finding.service},
    }


def _cloud(finding: Finding) -> dict[str, object]:
    if not _is_in_a_cloud(finding):
        return {}
    return {
        "cloud": {
            "provider": finding.provider,
            "account": _account(finding),
            "region": finding.region,
        }
    }


def _is_in_a_cloud(finding: Finding) -> bool:
    """Tell whether the cloud profile says anything: an account may be known where the provider is not."""
    return bool(finding.provider or finding.account_id)


def _account(finding: Finding) -> dict[str, object]:
    if finding.provider.lower() == "aws":
        return {"uid": finding.account_id, "name": "", "type_id": _AWS_ACCOUNT, "type": "AWS Account"}
    return {"uid": finding.account_id, "name": "", "type_id": _OTHER_ACCOUNT, "type": finding.provider}


def _remediation(finding: Finding) -> dict[str, object]:
    return {
        "desc": finding.remediation,
        "references": [finding.reference_url] if finding.reference_url else [],
    }


def _unmapped(finding: Finding) -> dict[str, object]:
    return {
        "category": finding.category,
        "related_url": finding.reference_url,
        "compliance": {name: list(controls) for name, controls in finding.compliance.items()},
    }
