"""Prowler 2's CSV. It has neither ids nor resources: what a row is about stands in its sentence.

The check's name is the bracketed word before the title; a `TITLE_ID` is a number of the CIS benchmark where `CHECK_ASFF_TYPE` says
so, and `CHECK_ASFF_COMPLIANCE_TYPE` may be a control of the Spanish ENS (prowler 2.x, include/outputs).
"""

import re
from typing import Final

from audit.findings import Finding
from audit.ingest.categories import category_of
from audit.ingest.csv_rows import Row, csv_format
from audit.ingest.fields import derived_id, first_url, instant

_NEEDED: Final = (
    "ACCOUNT_NUM",
    "REGION",
    "TITLE_ID",
    "TITLE_TEXT",
    "CHECK_RESULT",
    "CHECK_RESULT_EXTENDED",
    "CHECK_SEVERITY",
)
_NAMED_TITLE: Final = re.compile(
    r"\[(?P<check>[A-Za-z0-9_.-]+)\]\s*(?P<title>.*?)(?:\s*\((?:Not )?Scored\))?"
)
_CIS: Final = "CIS AWS Foundations Benchmark"


def to_finding(row: Row) -> Finding:
    """Read one row. Its id is made of what it says, so that the same row has the same id in every report.

    Raises:
        InputError: no title or severity.
    """
    check_id, title = _check(row)
    account, region, evidence = row["account_num"], row["region"], row["check_result_extended"]
    resource, resource_type = row.get("check_resource_id", ""), row.get("check_asff_resource_type", "")
    service = row.get("check_servicename", "")
    return Finding.from_dict(
        {
            "id": derived_id("prowler", check_id, account, region, resource, evidence),
            "title": title,
            "severity": row["check_severity"],
            "category": category_of(check_id, service, resource_type),
            "resource": resource,
            "description": row.get("check_risk"),
            "remediation": row.get("check_remediation"),
            "status": row["check_result"],
            "check_id": check_id,
            "resource_type": resource_type,
            "provider": "aws",
            "account_id": account,
            "region": region,
            "service": service,
            "evidence": evidence,
            "reference_url": first_url(row.get("check_doc", "")),
            "observed_at": instant(row.get("prowler_start_time")),
            "compliance": _compliance(row),
        }
    )


def _check(row: Row) -> tuple[str, str]:
    found = _NAMED_TITLE.fullmatch(row["title_text"])
    return (found["check"], found["title"]) if found else (row["title_id"], row["title_text"])


def _compliance(row: Row) -> dict[str, list[str]]:
    found = {}
    if _CIS in row.get("check_asff_type", "") and row["title_id"]:
        found[_CIS] = [row["title_id"]]
    ens = row.get("check_asff_compliance_type", "")
    if ens.startswith("ens-"):
        found["ENS"] = [ens.removeprefix("ens-")]
    return found


FORMAT = csv_format("Prowler 2 CSV", _NEEDED, to_finding)
