"""What is open at this moment: what a digest counts and offers, where a report says what a scan found some time ago."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from audit.findings import Finding, Severity
from audit.report import RecommendationDict, SummaryDict, Tally
from exporters.source import ReportSource


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNow:
    """What is open, without what was fixed or excepted since the scan.

    `worst` are the first of them, worst first, and all of them unless `is_cut`; a fix was asked for already of those whose
    fingerprints are in `asked_for`. `account` names the only account that this is
    about, empty where it is about all. `notes` are sentences for whoever reads it.
    """

    counts: Mapping[Severity, int]
    worst: Sequence[Finding] = ()
    is_cut: bool = False
    asked_for: frozenset[str] = frozenset()
    account: str = ""
    notes: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """Return whose findings these are, in words."""
        return f"account {self.account}" if self.account else "all accounts"


def as_of_now(source: ReportSource, now_open: OpenNow) -> ReportSource:
    """Return a report that counts and lists what is open now; its score, its name and its matrix are the scan's."""
    counts = {severity.lower(): now_open.counts.get(severity, 0) for severity in Severity}
    header = replace(
        source.header,
        summary=cast("SummaryDict", {**source.header.summary, **counts}),
        recommendations=_advice(now_open),
    )
    records = [finding.to_dict() for finding in now_open.worst]
    return ReportSource(header, lambda: iter(records), earlier=source.earlier)


def _advice(now_open: OpenNow) -> list[RecommendationDict]:
    """Return what to fix next, and nobody has asked for; without a number of resources where not all findings were looked at."""
    tally = Tally()
    for finding in now_open.worst:
        if finding.fingerprint not in now_open.asked_for:
            tally.add(finding)
    advice = tally.recommendations()
    if not now_open.is_cut:
        return advice
    return [cast("RecommendationDict", {**each, "resources": 0}) for each in advice]
