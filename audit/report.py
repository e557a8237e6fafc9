"""A report: what one scan found, summed up the way the specification shows it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NotRequired, Self, TypedDict

from audit.findings import Finding, FindingDict, FindingStatus, Severity

EXPORT_VERSION = "1.0"
MOST_RECOMMENDATIONS = 10
COMPLIANT_FROM_PERCENT = 90.0
REVIEW_FROM_PERCENT = 50.0


class SummaryDict(TypedDict):
    """The specification's `summary`, and the counts it leaves out.

    `critical` to `info` count failing findings that nobody muted; `total_findings` counts every finding read.
    """

    account_id: str
    security_score: float | None
    total_findings: int
    critical: int
    high: int
    medium: int
    low: int
    info: int
    passed: int
    manual: int
    muted: int


class FrameworkDict(TypedDict):
    """One line of the compliance matrix. `coverage` is a percentage."""

    coverage: float
    controls_covered: int
    total_controls: int
    status: str
    gaps: int


class RecommendationDict(TypedDict):
    """What to fix next, and how many resources it would mend."""

    severity: str
    title: str
    check_id: str
    remediation: str
    resources: int


class ReportData(TypedDict):
    """The specification's report dictionary."""

    metadata: dict[str, str]
    summary: SummaryDict
    findings: list[FindingDict]
    compliance: dict[str, FrameworkDict]
    recommendations: list[RecommendationDict]
    errors: NotRequired[list[str]]


@dataclass(slots=True)
class Tally:
    """Sums up findings as they stream by; keeps checks and controls, never findings."""

    total: int = 0
    muted: int = 0
    by_status: Counter[FindingStatus] = field(default_factory=Counter)
    failing: Counter[Severity] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    _checks: dict[str, bool] = field(default_factory=dict)
    _controls: defaultdict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    _heard: dict[tuple[str, bool], Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    _advice: dict[str, RecommendationDict] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self.total += 1
        if finding.account_id:
            self.accounts[finding.account_id] += 1
        if finding.muted:
            self.muted += 1
            return
        self.by_status[finding.status] += 1
        if finding.status is not FindingStatus.MANUAL:
            self._judge(finding, passed=finding.status is FindingStatus.PASS)

    def _judge(self, finding: Finding, *, passed: bool) -> None:
        check = finding.check_id or finding.title
        self._checks[check] = self._checks.get(check, True) and passed
        # Findings of a check share their mapping, and saying the same once more changes no verdict.
        if self._heard.get((check, passed)) is not finding.compliance:
            self._heard[check, passed] = finding.compliance
            self._judge_controls(finding.compliance, passed=passed)
        if not passed:
            self.failing[finding.severity] += 1
            self._advise(check, finding)

    def _judge_controls(self, compliance: Mapping[str, tuple[str, ...]], *, passed: bool) -> None:
        for framework, controls in compliance.items():
            verdicts = self._controls[framework]
            verdicts.update([(control, verdicts.get(control, True) and passed) for control in controls])

    def _advise(self, check: str, finding: Finding) -> None:
        advice = self._advice.get(check)
        if advice is None:
            self._advice[check] = RecommendationDict(
                severity=finding.severity.value,
                title=finding.title,
                check_id=finding.check_id,
                remediation=finding.remediation,
                resources=1,
            )
        else:
            advice["resources"] += 1
            if finding.severity.rank < Severity(advice["severity"]).rank:
                advice["severity"] = finding.severity.value

    def score(self) -> float | None:
        """Return the security score, 0 to 100, one decimal.

        The share of checks that no resource fails, among the checks with a verdict: AWS Security Hub's
        definition (User Guide, “Calculating security scores”: passed controls over enabled controls with
        data; suppressed findings are left out). A check passes when none of its findings fails; muted and
        manual findings give no verdict. None where the report holds no passing finding at all: a scanner
        that lists failures only cannot be scored.
        """
        if not self.by_status[FindingStatus.PASS]:
            return None
        return round(100 * sum(self._checks.values()) / len(self._checks), 1)

    def summary(self, account_id: str = "") -> SummaryDict:
        """Return the specification's summary. Without an account the most frequent one is named."""
        common = self.accounts.most_common(1)
        return SummaryDict(
            account_id=account_id or (common[0][0] if common else ""),
            security_score=self.score(),
            total_findings=self.total,
            critical=self.failing[Severity.CRITICAL],
            high=self.failing[Severity.HIGH],
            medium=self.failing[Severity.MEDIUM],
            low=self.failing[Severity.LOW],
            info=self.failing[Severity.INFO],
            passed=self.by_status[FindingStatus.PASS],
            manual=self.by_status[FindingStatus.MANUAL],
            muted=self.muted,
        )

    def compliance(self) -> dict[str, FrameworkDict]:
        """Return the matrix: per framework, the controls with a verdict and those that nothing fails."""
        judged = ((name, verdicts) for name, verdicts in self._controls.items() if verdicts)
        return {name: _framework(verdicts) for name, verdicts in sorted(judged)}

    def recommendations(self) -> list[RecommendationDict]:
        """Return the fixes that matter most: worst severity first, then most resources."""
        ranked = sorted(
            self._advice.values(),
            key=lambda advice: (Severity(advice["severity"]).rank, -advice["resources"], advice["title"]),
        )
        return ranked[:MOST_RECOMMENDATIONS]


def _framework(verdicts: dict[str, bool]) -> FrameworkDict:
    covered, total = sum(verdicts.values()), len(verdicts)
    coverage = round(100 * covered / total, 1)
    return FrameworkDict(
        coverage=coverage,
        controls_covered=covered,
        total_controls=total,
        status=compliance_status(coverage),
        gaps=total - covered,
    )


def compliance_status(coverage: float) -> str:
    """Return `COMPLIANT` from 90 %, `REVIEW` from 50 %, else `FAIL`: our own thresholds, printed with the matrix."""
    if coverage >= COMPLIANT_FROM_PERCENT:
        return "COMPLIANT"
    return "REVIEW" if coverage >= REVIEW_FROM_PERCENT else "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHeader:
    """All of a report but its findings. `source` names the format read; times are aware UTC.

    `rejected` says, a line each, which findings were left out and why.
    """

    report_id: str
    source: str
    name: str
    generated_at: datetime
    summary: SummaryDict
    compliance: dict[str, FrameworkDict] = field(default_factory=dict)
    recommendations: list[RecommendationDict] = field(default_factory=list)
    rejected: tuple[str, ...] = ()

    def metadata(self, exported_at: datetime, export_format: str) -> dict[str, str]:
        """Return the specification's `metadata`, and which report this is."""
        return {
            "exported_at": exported_at.astimezone(UTC).isoformat(timespec="seconds"),
            "export_format": export_format,
            "version": EXPORT_VERSION,
            "report_id": self.report_id,
            "report_name": self.name,
            "source": self.source,
            "generated_at": self.generated_at.astimezone(UTC).isoformat(timespec="seconds"),
        }


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A report with its findings: a header and an iterable that may be a stream, read once."""

    header: ReportHeader
    findings: Iterable[Finding]

    @classmethod
    def of(
        cls, findings: Iterable[Finding], *, report_id: str, generated_at: datetime, name: str = "audit"
    ) -> Self:
        """Sum up findings that fit into memory."""
        kept, tally = list(findings), Tally()
        for finding in kept:
            tally.add(finding)
        header = ReportHeader(
            report_id=report_id,
            source="countersign",
            name=name,
            generated_at=generated_at,
            summary=tally.summary(),
            compliance=tally.compliance(),
            recommendations=tally.recommendations(),
        )
        return cls(header, kept)

    def records(self) -> Iterator[FindingDict]:
        """Yield the findings as the specification's dictionaries."""
        return (finding.to_dict() for finding in self.findings)

    def to_dict(self) -> ReportData:
        """Return the specification's report dictionary, whole."""
        return ReportData(
            metadata=self.header.metadata(self.header.generated_at, "json"),
            summary=self.header.summary,
            findings=list(self.records()),
            compliance=self.header.compliance,
            recommendations=self.header.recommendations,
        )
