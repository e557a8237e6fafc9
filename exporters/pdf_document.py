"""What the PDF's template is given: one JSON document, every text in it ready to be shown.

The template reads it as data. Nothing from a report ever becomes Typst source, so there is nothing to inject into.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from audit.findings import Severity
from audit.report import (
    COMPLIANT_FROM_PERCENT,
    REVIEW_FROM_PERCENT,
    FrameworkDict,
    RecommendationDict,
    SummaryDict,
)
from exporters.brand import Brand
from exporters.pdf_body import Body, Check, Part
from exporters.pdf_text import cell, title
from exporters.source import ReportSource
from exporters.text import excerpt, percent
from exporters.view import facts, listed, minute, posture, severity_counts

Json = Mapping[str, object]
MOST_CONTENTS = 200
_SHORT_NAME = 80
_ADVICE_LENGTH = 320
_MOST_LEFT_OUT = 100
_LEVELS = {"COMPLIANT": "good", "REVIEW": "medium", "FAIL": "critical"}


def document(
    source: ReportSource, body: Body, *, brand: Brand, left_out: Iterable[str], now: datetime
) -> Json:
    """Return the whole document; its keys are those the template names."""
    header = source.header
    return {
        "brand": {"name": title(brand.name), "colour": brand.colour, "has_logo": bool(brand.logo)},
        "name": title(header.name),
        "short_name": title(excerpt(header.name, _SHORT_NAME)),
        "facts": [[name, cell(value)] for name, value in facts(header, now).items()],
        "exported": minute(now),
        **_summary(header.summary),
        "notice": _notice(body),
        "priorities": [_priority(advice, body) for advice in header.recommendations],
        "compliance": [_framework(name, entry) for name, entry in header.compliance.items()],
        "thresholds": [percent(COMPLIANT_FROM_PERCENT), percent(REVIEW_FROM_PERCENT)],
        **_findings(body),
        "left_out": [cell(line) for line in [*header.rejected[:_MOST_LEFT_OUT], *left_out]],
    }


def _summary(summary: SummaryDict) -> Json:
    state = posture(summary)
    return {
        "posture": {
            "level": state.level,
            "headline": state.headline,
            "words": f"{state.sentence} {state.advice}",
        },
        "score": summary["security_score"],
        "severities": [_bar(severity, count) for severity, count in severity_counts(summary).items()],
        "numbers": [
            ["Findings read", _number(summary["total_findings"])],
            ["Passed", _number(summary["passed"])],
            ["For review", _number(summary["manual"])],
            ["Muted", _number(summary["muted"])],
        ],
    }


def _findings(body: Body) -> Json:
    """Return the checks of both parts; a table of contents of thousands helps nobody and names the first 200."""
    checks = body.checks(Part.FAILING) + body.checks(Part.REVIEW)
    named = {check.anchor for check in checks[:MOST_CONTENTS]}
    more = len(checks) - len(named)
    return {
        "contents_rest": f"and {more:,} more checks" if more else "",
        "failing": _bands(body.checks(Part.FAILING), named),
        "review": _bands(body.checks(Part.REVIEW), named),
        "settled": [
            [entry.title, _number(entry.counts[Part.PASSED]), _number(entry.counts[Part.MUTED])]
            for entry in body.settled.values()
        ],
        "settled_rest": f"and {body.unnamed:,} more findings of other checks" if body.unnamed else "",
    }


def _number(count: int) -> str:
    return f"{count:,}"


def _bar(severity: Severity, count: int) -> Json:
    return {**_severity(severity), "count": count, "number": _number(count)}


def _severity(severity: Severity) -> Json:
    return {"level": severity.lower(), "word": severity.capitalize()}


def _notice(body: Body) -> str:
    """Say what found no room, or nothing."""
    if not body.hidden:
        return ""
    rest = listed(
        [f"{count:,} {severity.lower()}" for severity in Severity if (count := body.hidden[severity])]
    )
    total = body.shown + body.hidden.total()
    return (
        f"This document lists the {body.shown:,} most severe of {total:,} findings that fail or need review. "
        f"Not listed: {rest}. The counts include them; the HTML, CSV and JSON exports list them all."
    )


def _priority(advice: RecommendationDict, body: Body) -> Json:
    word, count = advice["severity"], advice["resources"]
    known = Severity(word) if word in Severity.__members__ else None
    return {
        **(_severity(known) if known else {"level": "info", "word": ""}),
        "title": title(advice["title"]),
        "count": _resources(count) if count else "",
        "remediation": cell(excerpt(advice["remediation"], _ADVICE_LENGTH)),
        "anchor": body.anchor(known, advice["check_id"] or advice["title"]) if known else "",
    }


def _framework(name: str, entry: FrameworkDict) -> Json:
    return {
        "name": title(name),
        "coverage": min(max(entry["coverage"], 0.0), 100.0),
        "percent": percent(entry["coverage"]),
        "covered": f"{entry['controls_covered']:,} of {entry['total_controls']:,}",
        "gaps": _number(entry["gaps"]),
        "status": title(entry["status"].capitalize()),
        "level": _LEVELS.get(entry["status"], "info"),
    }


def _bands(checks: list[Check], named: set[str]) -> list[Json]:
    """Return the checks by severity, worst first."""
    bands: dict[Severity, list[Json]] = {}
    for check in checks:
        bands.setdefault(check.severity, []).append(_check(check, is_listed=check.anchor in named))
    return [{**_severity(severity), "checks": entries} for severity, entries in bands.items()]


def _check(check: Check, *, is_listed: bool) -> Json:
    return {
        **check.head,
        "anchor": check.anchor,
        "is_listed": is_listed,
        "count": _resources(len(check.rows)),
        "rows": check.rows,
    }


def _resources(count: int) -> str:
    return "1 resource" if count == 1 else f"{count:,} resources"
