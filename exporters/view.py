"""What a report says at a glance, worked out once for the page, the mail and the executive summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.findings import Finding, Severity
from audit.report import FrameworkDict, ReportHeader, SummaryDict
from exporters.failing import Failing, check_name
from exporters.source import ReportSource

_ADVICE = {
    Severity.CRITICAL: "Treat the critical ones before anything else.",
    Severity.HIGH: "Plan the high ones into this week.",
    Severity.MEDIUM: "Nothing urgent; plan the fixes into regular work.",
    Severity.LOW: "Only minor findings remain.",
    Severity.INFO: "Only remarks remain.",
}
_HEADLINES = {
    Severity.CRITICAL: "Act now",
    Severity.HIGH: "Needs attention",
    Severity.MEDIUM: "Fair",
    Severity.LOW: "Good",
    Severity.INFO: "Good",
}


@dataclass(frozen=True, slots=True)
class Posture:
    """The state of things in a headline and two sentences. `level` is the worst severity that is open, lower case."""

    level: str
    headline: str
    sentence: str
    advice: str


def severity_counts(summary: SummaryDict) -> dict[Severity, int]:
    """Return the failing, unmuted findings by severity, worst first."""
    return {
        Severity.CRITICAL: summary["critical"],
        Severity.HIGH: summary["high"],
        Severity.MEDIUM: summary["medium"],
        Severity.LOW: summary["low"],
        Severity.INFO: summary["info"],
    }


def posture(summary: SummaryDict) -> Posture:
    """Judge by the worst severity that is open: a thousand low findings do not make one critical."""
    counts = {severity: count for severity, count in severity_counts(summary).items() if count}
    if not counts:
        return _clear(summary)
    worst, total = next(iter(counts)), sum(counts.values())
    named = listed([f"{count:,} {severity.lower()}" for severity, count in counts.items()])
    subject = "finding is open" if total == 1 else "findings are open"
    return Posture(worst.lower(), _HEADLINES[worst], f"{named} {subject}.", _ADVICE[worst])


def _clear(summary: SummaryDict) -> Posture:
    if not summary["total_findings"]:
        return Posture(
            "none", "Nothing reported", "The report holds no findings.", "Check that the scan ran."
        )
    return Posture("none", "All clear", "No finding is open.", "Keep scanning: what is clear today drifts.")


def trend(header: ReportHeader, earlier: Sequence[ReportHeader]) -> str:
    """Say how the score moved since the report before; nothing where either has none."""
    scored = [before for before in earlier if before.summary["security_score"] is not None]
    now = header.summary["security_score"]
    before = scored[-1].summary["security_score"] if scored else None
    if now is None or before is None:
        return ""
    since, moved = day(scored[-1].generated_at), round(now - before, 1)
    if not moved:
        return f"unchanged since {since}"
    return f"{abs(moved):g} points {'up' if moved > 0 else 'down'} since {since}"


def scores(header: ReportHeader, earlier: Sequence[ReportHeader]) -> list[float]:
    """Return the scores up to this report, oldest first."""
    found = (report.summary["security_score"] for report in (*earlier, header))
    return [score for score in found if score is not None]


def pressing(source: ReportSource, most: int) -> list[Finding]:
    """Return the first failing finding of each of the worst checks; the stream is left there."""
    found: dict[str, Finding] = {}
    for finding in Failing(source):
        found.setdefault(check_name(finding), finding)
        if len(found) == most:
            break
    return list(found.values())


def weakest(compliance: Mapping[str, FrameworkDict], most: int) -> dict[str, FrameworkDict]:
    """Return the frameworks with the least coverage, weakest first."""
    ranked = sorted(compliance.items(), key=lambda entry: (entry[1]["coverage"], entry[0]))
    return dict(ranked[:most])


def listed(words: list[str]) -> str:
    """Join words as a sentence does: `2 critical, 3 high and 1 low`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def day(moment: datetime) -> str:
    """Return `24 November 2026`, in UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}"


def minute(moment: datetime) -> str:
    """Return `24 November 2026, 14:05 UTC`."""
    return f"{day(moment)}, {moment.astimezone(UTC):%H:%M} UTC"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def facts(header: ReportHeader, now: datetime) -> Mapping[str, str]:
    """Return what stands below a report's name."""
    account = header.summary["account_id"]
    return {
        **({"Account": account} if account else {}),
        "Scanned": minute(header.generated_at),
        "Exported": minute(now),
        "Source": header.source,
        **({"Report": header.report_id} if header.report_id else {}),
    }
