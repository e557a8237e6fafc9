"""Recommendations that Microsoft Defender for Cloud (once Azure Security Center) exports as CSV.

A recommendation's `controls` are those of Microsoft's secure score: names with ids, as JSON in a cell.
"""

import json
from contextlib import suppress
from typing import Final

from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of
from audit.ingest.csv_rows import Row, csv_format
from audit.ingest.fields import first_url, instant

_NEEDED: Final = (
    "subscriptionId",
    "resourceId",
    "recommendationId",
    "recommendationName",
    "recommendationDisplayName",
    "severity",
    "state",
)
_SCORE: Final = "Azure-Secure-Score"
_STATES: Final = {"healthy": "PASS", "unhealthy": "FAIL"}
_DIGITS_OF_AN_AWS_ACCOUNT: Final = 12


def to_finding(row: Row) -> Finding:
    """Read one row; `NotApplicable` and states yet unknown need a person.

    Raises:
        InputError: no id, title or severity.
    """
    resource = row["resourceid"]
    account = row.get("nativecloudaccountid") or row["subscriptionid"]
    service = place_of(resource).service or row.get("resourcetype", "")
    return Finding.from_dict(
        {
            "id": row["recommendationid"],
            "title": row["recommendationdisplayname"],
            "severity": row["severity"],
            "category": category_of(row["recommendationdisplayname"], service),
            "resource": resource,
            "description": row.get("description"),
            "remediation": row.get("remediationsteps"),
            "status": _STATES.get(row["state"].casefold(), "MANUAL"),
            "check_id": row["recommendationname"],
            "resource_type": _resource_type(resource) or row.get("resourcetype", ""),
            "provider": _provider(row),
            "account_id": account,
            "service": service,
            "evidence": row.get("notapplicablereason"),
            "reference_url": first_url(row.get("azureportalrecommendationlink", "")),
            "observed_at": instant(row.get("statuschangedate") or row.get("exportedtimestamp")),
            "compliance": _controls(row.get("controls", "")),
        }
    )


def _provider(row: Row) -> str:
    """Return `azure`, or the other cloud whose account Defender looks after."""
    native = row.get("nativecloudaccountid")
    if not native:
        return "azure"
    return "aws" if native.isdigit() and len(native) == _DIGITS_OF_AN_AWS_ACCOUNT else "gcp"


def _resource_type(resource: str) -> str:
    """Return the type as Azure spells it in ids: `microsoft.network/virtualnetworks`."""
    _, separator, rest = resource.casefold().rpartition("/providers/")
    return "/".join(rest.split("/")[:2]) if separator else ""


def _controls(cell: str) -> dict[str, list[str]]:
    with suppress(ValueError, RecursionError):
        controls = json.loads(cell)
        if isinstance(controls, dict) and controls:
            return {_SCORE: list(controls)}
    return {}


# The export's time stands in each row, and the head is not parsed for rows.
FORMAT = csv_format("Azure Security Center CSV", _NEEDED, to_finding)
