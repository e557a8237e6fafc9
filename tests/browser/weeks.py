"""Five weekly reports of one account, each a Prowler file: fewer findings fail from week to week."""

import copy
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from audit.findings import Finding
from audit.ingest import read_report
from bot.sandbox.tour import demo_report

WEEKS = 5
# Buckets beside those of the demo: what is asked for, signed and put back in the scenarios, each by one of them.
BUCKETS = tuple(
    f"northwind-{name}"
    for name in (
        "invoices-archive",
        "payroll-exports",
        "press-kit",
        "support-uploads",
        "build-artifacts",
        "meeting-notes",
        "sensor-data",
        "partner-drop",
        "mail-logs",
        "map-tiles",
        "old-website",
        "test-fixtures",
        "trade-fairs",
        "trial-data",
        "type-specimens",
        "vendor-lists",
        "video-drafts",
        "visit-reports",
        "warehouse-scans",
        "weather-maps",
        "web-logs",
        "weekly-plans",
        "welcome-packs",
        "wiki-images",
    )
)
# The one that a form's picker is asked for: Security Hub complains about it too, so whichever report is the newest has it.
PICKED = BUCKETS[-1]
CHECK = "s3_bucket_level_public_access_block"


def write_weeks(folder: Path) -> list[Path]:
    """Write the reports, the oldest first; return their files."""
    with demo_report() as path:
        records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    records += [_about(records, bucket) for bucket in BUCKETS]
    paths = []
    for age in reversed(range(WEEKS)):
        path = folder / f"northwind-week-{48 - age}.ocsf.json"
        path.write_text(json.dumps([_then(record, age) for record in records]), encoding="utf-8")
        paths.append(path)
    return paths


def findings_in(path: Path) -> dict[str, Finding]:
    """Return the failing findings of one check about buckets, by the bucket's name."""
    items = read_report(io.BytesIO(path.read_bytes()), path.name).items
    found = [item for item in items if isinstance(item, Finding)]
    return {f.resource.rpartition(":")[2]: f for f in found if f.is_open and f.check_id == CHECK}


def _about(records: list[dict[str, Any]], bucket: str) -> dict[str, Any]:
    """Return a finding about a bucket like the one that the demo's report has."""
    like = next(each for each in records if each["metadata"]["event_code"] == CHECK)
    return dict(json.loads(json.dumps(like).replace(like["resources"][0]["name"], bucket)))


def _then(record: dict[str, Any], age: int) -> dict[str, Any]:
    """Return what a scan said so many weeks ago: everything failed once, and was fixed one after the other."""
    old = copy.deepcopy(record)
    seconds = int(timedelta(weeks=age).total_seconds())
    old["time"] -= seconds
    old["finding_info"]["created_time"] -= seconds
    for holder in (old, old["finding_info"]):
        holder.pop("time_dt", None)
        holder.pop("created_time_dt", None)
    if record["status_code"] == "PASS" and len(record["finding_info"]["uid"]) % WEEKS < age:
        old["status_code"] = "FAIL"
    return old
