"""Reports in a list: `MemoryReports` mirrors `audit.ports.ReportStore`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from audit.actor import Actor
from audit.errors import InputError, NotFoundError
from audit.findings import Finding, FindingDict
from audit.ingest import Reading
from audit.ports import LATEST, Ingested
from audit.report import ReportHeader, Tally
from audit.trail import TrailEvent
from tests.fakes.trail import MemoryTrail


@dataclass(frozen=True)
class MemoryReport:
    header: ReportHeader
    content_sha256: str
    as_of: datetime
    findings: tuple[Finding, ...]


class MemoryReports:
    """Reports with their findings, whole in memory; `reports` is in the order they came in."""

    def __init__(self, trail: MemoryTrail) -> None:
        self.trail = trail
        self.reports: list[MemoryReport] = []

    def ingest(self, reading: Reading, *, actor: Actor, now: datetime) -> Ingested:
        for report in self.reports:
            if report.content_sha256 == reading.content_sha256:
                return Ingested(report.header, is_new=False)
        items = list(reading.items)
        findings = tuple(item for item in items if isinstance(item, Finding))
        rejected = tuple(str(item) for item in items if not isinstance(item, Finding))
        if not findings:
            why = f"none of its findings can be used; {rejected[0]}" if rejected else "no findings in it"
            raise InputError(f"{reading.name}: {why}")
        header = _header(reading, findings, rejected, now)
        self.trail.record(_event(header, reading, actor=actor, now=now))
        as_of = min(header.generated_at, now)
        self.reports.append(MemoryReport(header, reading.content_sha256, as_of, findings))
        return Ingested(header, is_new=True)

    def list_reports(self, limit: int = 20, offset: int = 0) -> list[ReportHeader]:
        return [report.header for report in self._newest_first()][offset : offset + limit]

    def header(self, report_id: str = LATEST, *, account: str = "") -> ReportHeader:
        return self._named(report_id, account).header

    def stream_findings(self, report_id: str) -> Iterator[FindingDict]:
        return (finding.to_record() for finding in _worst_first(self._named(report_id).findings))

    def find(self, name: str) -> Finding:
        goes_by = _matcher(name.strip())
        for report in self._newest_first():
            matches = {
                finding.fingerprint: finding for finding in reversed(report.findings) if goes_by(finding)
            }
            if len(matches) == 1:
                return next(iter(matches.values()))
            if matches:
                named = "; ".join(f"{found.handle} {found.title}" for found in list(matches.values())[-5:])
                raise NotFoundError(f"more than one finding goes by “{name}”: {named}")
        raise NotFoundError(f"no finding goes by “{name}”")

    def search(self, text: str, *, limit: int = 20) -> list[Finding]:
        newest = self._newest_first()[:1]
        findings = _worst_first(newest[0].findings) if newest else []
        return [finding for finding in findings if finding.is_open and _holds(finding, text.lower())][:limit]

    def _newest_first(self) -> list[MemoryReport]:
        places = range(len(self.reports))
        newest_first = sorted(places, key=lambda place: (self.reports[place].as_of, place), reverse=True)
        return [self.reports[place] for place in newest_first]

    def _named(self, report_id: str, account: str = "") -> MemoryReport:
        found = [
            report for report in self._newest_first() if account in {"", report.header.summary["account_id"]}
        ]
        if report_id == LATEST:
            found = found[:1]
        else:
            found = [report for report in found if report.header.report_id.startswith(report_id.lower())]
        if len(found) != 1:
            names = ", ".join(report.header.report_id for report in found)
            raise NotFoundError(f"not one report goes by “{report_id}”: {names or 'none does'}")
        return found[0]


def _header(
    reading: Reading, findings: tuple[Finding, ...], rejected: tuple[str, ...], now: datetime
) -> ReportHeader:
    tally = Tally()
    for finding in findings:
        tally.add(finding)
    return ReportHeader(
        report_id=f"r-{reading.content_sha256[:10]}",
        source=reading.source,
        name=reading.name,
        generated_at=reading.generated_at or now,
        summary=tally.summary(),
        compliance=tally.compliance(),
        recommendations=tally.recommendations(),
        rejected=rejected,
    )


def _event(header: ReportHeader, reading: Reading, *, actor: Actor, now: datetime) -> TrailEvent:
    names = ("critical", "high", "medium", "low", "info", "passed", "manual", "muted")
    counts = {"findings": header.summary["total_findings"], "rejected": len(header.rejected)}
    detail = {
        "report_id": header.report_id,
        "name": header.name,
        "source": header.source,
        "content_sha256": reading.content_sha256,
        "counts": {**counts, **{name: header.summary[name] for name in names}},  # type: ignore[literal-required]
    }
    return TrailEvent(kind="report.ingested", actor=actor, at=now, subject=header.report_id, detail=detail)


def _worst_first(findings: tuple[Finding, ...]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.severity.rank, finding.check_id))


def _matcher(name: str) -> Callable[[Finding], bool]:
    if handle := re.fullmatch("f-([0-9a-f]{4,32})", name, re.IGNORECASE):
        digits = handle[1].lower()
        return lambda finding: finding.fingerprint.startswith(digits)
    return lambda finding: name == finding.id or name.lower() == finding.fingerprint


def _holds(finding: Finding, text: str) -> bool:
    texts = (finding.title, finding.check_id, finding.handle, finding.resource)
    return any(text in part.lower() for part in texts)
