"""Reports day after day, and what their findings stand at: for the suites about what becomes of findings."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import select

from audit.finding_query import parse_query
from audit.findings import Finding, FindingStatus
from storage import Stores
from storage.lifecycle_tables import TrackedRow
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading

DAY_0 = NOW - timedelta(days=10)
PASS, MANUAL = FindingStatus.PASS, FindingStatus.MANUAL
ALL = parse_query(["status:all"])


def day(number: int) -> datetime:
    return DAY_0 + timedelta(days=number)


def report(
    stores: Stores, number: int, *findings: Finding, source: str = "Prowler OCSF", is_complete: bool = True
) -> str:
    """Take in a report that was made on a day."""
    content = f"{number} {source} {findings}"
    reading = a_reading(findings, content=content, generated_at=day(number))
    reading = replace(reading, source=source, is_complete=is_complete)
    return stores.reports.ingest(reading, actor=ANALYST, now=NOW).header.report_id


def states(stores: Stores, *, now: datetime = NOW) -> dict[str, str]:
    """Return where each finding stands, by its scanner's id."""
    return {each.finding.id: each.state.value for each in stores.tracker.search(ALL, now=now).items}


def one(stores: Stores, number: int = 1) -> TrackedRow:
    with stores.database.reading() as session:
        wanted = TrackedRow.fingerprint == a_finding(number).fingerprint
        return session.exec(select(TrackedRow).where(wanted)).one()
