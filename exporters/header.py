"""A report's header out of the specification's plain dictionary, which anybody may have written.

What is given and of the right kind is taken over; what is missing is worked out from the findings; what is of the
wrong kind is named and left out. Nothing here is fatal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from audit.report import (
    FrameworkDict,
    RecommendationDict,
    ReportHeader,
    SummaryDict,
    Tally,
    compliance_status,
)

Reject = Callable[[str], None]
_FULL = 100


def read_header(
    report_data: Mapping[str, object], *, tally: Tally, rejected: list[str], now: datetime
) -> ReportHeader:
    """Return the header of a report whose findings are summed up in `tally`; `rejected` is added to."""
    metadata = _Texts(_mapping(report_data.get("metadata")))
    summary = _summary(_mapping(report_data.get("summary")), tally)
    compliance = read_compliance(report_data.get("compliance"), rejected.append)
    return ReportHeader(
        report_id=metadata.get("report_id"),
        source=metadata.get("source", "countersign"),
        name=metadata.get("report_name", "audit"),
        generated_at=metadata.instant("generated_at") or metadata.instant("exported_at") or now,
        summary=summary,
        compliance=compliance or tally.compliance(),
        recommendations=_recommendations(report_data.get("recommendations")) or tally.recommendations(),
        rejected=(*_texts(report_data.get("errors")), *rejected),
    )


def read_compliance(compliance: object, reject: Reject) -> dict[str, FrameworkDict]:
    """Return the matrix a caller gave; a framework that cannot be read goes to `reject` as one line."""
    matrix: dict[str, FrameworkDict] = {}
    for name, given in _mapping(compliance).items():
        try:
            matrix[name] = _framework(given)
        except (TypeError, ValueError) as error:
            reject(f"framework {name[:80]}: {error}")
    return matrix


def _framework(given: object) -> FrameworkDict:
    """Fill in what follows from the rest: the coverage from the controls, the status from the coverage."""
    if not isinstance(given, Mapping):
        raise TypeError("must be an object with coverage, controls_covered and total_controls")
    covered, total = _count(given, "controls_covered"), _count(given, "total_controls")
    coverage = _number(given.get("coverage"))
    if coverage is None:
        if not total:
            raise ValueError("needs a coverage")
        coverage = round(100 * covered / total, 1)
    status = given.get("status")
    return FrameworkDict(
        coverage=coverage,
        controls_covered=covered,
        total_controls=total,
        status=status if isinstance(status, str) and status else compliance_status(coverage),
        gaps=_count(given, "gaps", max(0, total - covered)),
    )


def _summary(given: Mapping[str, object], tally: Tally) -> SummaryDict:
    """Take over what the caller counted; a count of the wrong kind is counted again."""
    account = given.get("account_id")
    summary: dict[str, object] = dict(tally.summary(str(account) if account else ""))
    for name in summary:
        if name not in {"account_id", "security_score"} and _is_count(given.get(name)):
            summary[name] = given[name]
    score = _number(given.get("security_score"))
    if score is not None:
        summary["security_score"] = score
    return cast("SummaryDict", summary)


def _recommendations(given: object) -> list[RecommendationDict]:
    entries = given if isinstance(given, (list, tuple)) else ()
    return [_recommendation(entry) for entry in entries if isinstance(entry, (str, Mapping))]


def _recommendation(entry: str | Mapping[str, object]) -> RecommendationDict:
    texts = _Texts({"title": entry} if isinstance(entry, str) else entry)
    resources = texts.given.get("resources")
    return RecommendationDict(
        severity=texts.get("severity").upper(),
        title=texts.get("title") or texts.get("recommendation") or texts.get("description"),
        check_id=texts.get("check_id"),
        remediation=texts.get("remediation"),
        resources=cast("int", resources) if _is_count(resources) else 0,
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    """A mapping of which only the texts are of interest."""

    given: Mapping[str, object]

    def get(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return value if isinstance(value, str) and value else default

    def instant(self, name: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(self.get(name))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _mapping(value: object) -> Mapping[str, object]:
    """Return the mapping's entries that go by a text; of anything else, none."""
    if not isinstance(value, Mapping):
        return {}
    return {name: entry for name, entry in value.items() if isinstance(name, str)}


def _texts(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, (list, tuple)) else []


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _count(given: Mapping[str, object], name: str, default: int = 0) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not _is_count(value):
        raise ValueError(f"{name} must be a count")
    return cast("int", value)


def _number(value: object) -> float | None:
    """Return a percentage between 0 and 100; `75%` counts as 75."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _FULL:
        return None
    return float(value)


def _parsed(text: str) -> float | None:
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError:
        return None
