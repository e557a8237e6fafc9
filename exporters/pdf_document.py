"""What the PDF's template is given: one JSON document, every text in it ready to be shown.

The template reads it as data. Nothing from a report ever becomes Typst source, so there is nothing to inject into.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from audit.findings import Severity
from audit.report import COMPLIANT_FROM_PERCENT, REVIEW_FROM_PERCENT, FrameworkDict, RecommendationDict
from exporters.brand import Brand
from exporters.pdf_body import Body, Check, Part
from exporters.pdf_text import cell, title
from exporters.source import ReportSource
from exporters.text import excerpt, percent
from exporters.view import facts, listed, minute, posture, severity_counts

Json = Mapping[str, object]
_ADVICE_LENGTH = 320
_MOST_LEFT_OUT = 100
_LEVELS = {"COMPLIANT": "good", "REVIEW": "medium", "FAIL": "critical"}


def document(source: ReportSource, body: Body, *, brand: Brand, left_out: Iterable[str], now: datetime) -> Json:
    """Return the whole document; its keys are those the template names."""
    header, summary = source.header, source.header.summary
    state = posture(summary)
    return {
        "brand": {"name": title(brand.name), "colour": brand.colour, "has_logo": bool(brand.logo)},
        "name": title(header.name),
        "facts": [[name, cell(value)] for name, value in facts(header, now).items()],
        "exported": minute(now),
        "posture": {"level": state.level, "headline": state.headline, "words": f"{state.sentence} {state.advice}"},
        "score": summary["security_score"],
        "severities": [_bar(severity, count) for severity, count in severity_counts(summary).items()],
        "numbers": [
            ["Findings read", _number(summary["total_findings"])],
            ["Passed", _number(summary["passed"])],
            ["For review", _number(summary["manual"])],
            ["Muted", _number(summary["muted"])],
        ],
        "notice": _notice(body),
        "priorities": [_priority(advice, body) for advice in header.recommendations],
        "compliance": [_framework(name, entry) for name, entry in header.compliance.items()],
        "thresholds": [percent(COMPLIANT_FROM_PERCENT), percent(REVIEW_FROM_PERCENT)],
        "failing": _bands(body.checks(Part.FAILING), "fails", "fail"),
        "review": _bands(body.checks(Part.REVIEW), "to look at", "to look at"),
        "settled": [
            [entry.title, _number(entry.counts[Part.PASSED]), _number(entry.counts[Part.MUTED])]
            for entry in body.settled.values()
        ],
        "settled_total": _settled_total(body),
        "left_out": [cell(line) for line in [*header.rejected[:_MOST_LEFT_OUT], *left_out]],
    }


def _number(count: int) -> str:
    return f"{count:,}"


def _bar(severity: Severity, count: int) -> Json:
    return {"level": severity.lower(), "word": severity.capitalize(), "count": count, "number": _number(count)}


def _notice(body: Body) -> str:
    """Say what found no room, or nothing."""
    if not body.hidden:
        return ""
    rest = listed([f"{count:,} {severity.lower()}" for severity in Severity if (count := body.hidden[severity])])
    total = body.shown + body.hidden.total()
    return (
        f"This document shows the {body.shown:,} most severe of {total:,} findings that fail or need review. "
        f"Not shown: {rest}. The counts include them; the HTML, CSV and JSON exports list them all."
    )


def _priority(advice: RecommendationDict, body: Body) -> Json:
    word = advice["severity"]
    known = word in Severity.__members__
    return {
        "level": word.lower() if known else "info",
        "word": word.capitalize() if known else "",
        "title": title(advice["title"]),
        "count": _resources(advice["resources"]) if advice["resources"] else "",
        "remediation": cell(excerpt(advice["remediation"], _ADVICE_LENGTH)),
        "anchor": body.anchor(Severity(word), advice["check_id"] or advice["title"]) if known else "",
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


def _bands(checks: list[Check], singular: str, plural: str) -> list[Json]:
    """Return the checks by severity, worst first, each band with its count of resources."""
    bands: dict[Severity, list[Check]] = {}
    for check in checks:
        bands.setdefault(check.severity, []).append(check)
    return [
        {
            "level": severity.lower(),
            "word": severity.capitalize(),
            "checks": [_check(check, singular, plural) for check in entries],
        }
        for severity, entries in bands.items()
    ]


def _check(check: Check, singular: str, plural: str) -> Json:
    count = len(check.rows)
    verb = singular if count == 1 else plural
    return {**check.head, "anchor": check.anchor, "count": f"{_resources(count)} {verb}", "rows": check.rows}


def _resources(count: int) -> str:
    return "1 resource" if count == 1 else f"{count:,} resources"


def _settled_total(body: Body) -> str:
    named = sum((entry.counts for entry in body.settled.values()), Counter[Part]())
    rest = body.totals[Part.PASSED] + body.totals[Part.MUTED] - named.total()
    return f"and {rest:,} more findings of other checks" if rest else ""
