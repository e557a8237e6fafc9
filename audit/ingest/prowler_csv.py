"""Prowler's CSV from version 3 on, of every cloud: `;` between the columns, or whatever somebody made of it.

Version 3 names columns after the cloud (`ACCOUNT_ID`, `SUBSCRIPTION`, `PROJECT_ID`; prowler/lib/outputs/models.py of 3.x), 4 and
5 have one set for all (prowler/lib/outputs/csv/models.py). Compliance is one cell: `CIS-1.4: 1.20 | PCI-4.0: 1.3.1, 1.3.2`.
"""

from typing import Final

from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.csv_rows import Row, csv_format
from audit.ingest.fields import first_url, instant
from audit.ingest.frameworks import from_cell

_NEEDED: Final = ("PROVIDER", "CHECK_ID", "CHECK_TITLE", "STATUS", "STATUS_EXTENDED", "SEVERITY")
_TIMES: Final = ("timestamp", "assessment_start_time")


def to_finding(row: Row) -> Finding:
    """Read one row.

    Raises:
        InputError: no id, title or severity.
    """
    check_id = row["check_id"]
    service = row.get("service_name") or check_id.partition("_")[0]
    resource_type = row.get("resource_type", "")
    return Finding.from_dict(
        {
            "id": _first(row, "finding_uid", "finding_unique_id"),
            "title": row["check_title"] or check_id,
            "severity": row["severity"],
            "category": category_of(check_id, service, resource_type),
            "resource": _first(row, "resource_uid", "resource_arn", "resource_id", "resource_name"),
            "description": row.get("description") or row.get("risk"),
            "remediation": row.get("remediation_recommendation_text"),
            "status": row["status"],
            "muted": row.get("muted", "").casefold() == "true",
            "check_id": check_id,
            "resource_type": resource_type,
            "provider": row["provider"].lower(),
            "account_id": _first(
                row, "account_uid", "account_id", "subscription", "project_id", "context", "tenant_domain"
            ),
            "region": _first(row, "region", "location", "namespace"),
            "service": service,
            "evidence": row["status_extended"],
            "reference_url": first_url(
                row.get("related_url", ""),
                row.get("remediation_recommendation_url", ""),
                *row.get("additional_urls", "").split(" | "),
            ),
            "observed_at": instant(_first(row, *_TIMES)),
            "compliance": from_cell(row.get("compliance", "")),
        }
    )


def _first(row: Row, *columns: str) -> str:
    return next((cell for column in columns if (cell := row.get(column))), "")


# The rows carry the local time of a machine whose zone nobody knows.
FORMAT = csv_format("Prowler CSV", _NEEDED, to_finding)
