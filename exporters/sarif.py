"""SARIF 2.1.0, within what GitHub code scanning keeps.

GitHub keeps the 5,000 most severe results of a run, so the stream, worst first, ends there and the rest is counted. An
artifact address is always given: newer GitLab refuses a report where half the results lack one. Limits:
docs.github.com, “SARIF support for code scanning”.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from audit.findings import Finding, Severity
from audit.report import EXPORT_VERSION
from exporters.failing import Failing, check_name
from exporters.json_document import JsonDocument, to_json
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource
from exporters.text import clip, encodable, web_url

MOST_RESULTS = 5_000
_LONGEST_TEXT = 1_000
_LONGEST_NAME = 255
_MOST_TAGS = 10
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
    Severity.INFO: "0.5",
}
"""`security-severity`: GitHub reads over 9.0 as critical, from 7.0 high, from 4.0 medium, below low; a text, not a number."""

_BEGINNING = b'{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":['


def write_sarif(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:
    """Write one run with a result per failing finding, the most severe first, at most 5,000."""
    failing, run, document = Failing(source), _Run(), JsonDocument(out)
    out.write(_BEGINNING)
    results = (run.result(finding) for finding in failing)
    document.array("results", (to_json(result) for result in results if result is not None))
    document.member("tool", {"driver": run.driver()})
    document.member("invocations", [_invocation(failing, run, now)])
    document.member("columnKind", "unicodeCodePoints")
    document.close()
    out.write(b"]}")
    return failing.passage.written()


def _invocation(failing: Failing, run: "_Run", now: datetime) -> dict[str, object]:
    said = (
        [f"{run.cut:,} less severe findings are left out: GitHub keeps {MOST_RESULTS:,}"] if run.cut else []
    )
    return {
        "executionSuccessful": True,
        "endTimeUtc": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": clip(line, _LONGEST_TEXT)}}
            for line in (*said, *failing.errors())
        ],
    }


@dataclass(slots=True)
class _Run:
    """Keeps the rules seen, never the results."""

    rules: dict[str, dict[str, object]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    cut: int = 0

    def result(self, finding: Finding) -> dict[str, object] | None:
        if self.kept >= MOST_RESULTS:
            self.cut += 1
            return None
        self.kept += 1
        return _result(finding, self._place(finding))

    def _place(self, finding: Finding) -> int:
        """Return the rule's index; the first finding, the worst, decides what the rule says."""
        name = _rule_id(finding)
        if name not in self.rules:
            self.places[name] = len(self.rules)
            self.rules[name] = _rule(finding)
        return self.places[name]

    def driver(self) -> dict[str, object]:
        return {"name": "Countersign", "version": EXPORT_VERSION, "rules": list(self.rules.values())}


def _rule_id(finding: Finding) -> str:
    return clip(check_name(finding), _LONGEST_NAME)


def _rule(finding: Finding) -> dict[str, object]:
    address = web_url(finding.reference_url)
    fix = clip(finding.remediation, _LONGEST_TEXT)
    tags = dict.fromkeys(("security", finding.category, finding.service, finding.provider))
    return {
        "id": _rule_id(finding),
        "name": clip(finding.title, _LONGEST_NAME),
        "shortDescription": {"text": clip(finding.title, _LONGEST_TEXT)},
        "fullDescription": {"text": clip(finding.description or finding.title, _LONGEST_TEXT)},
        **({"help": {"text": fix}} if fix else {}),
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "tags": [clip(tag, _LONGEST_NAME) for tag in tags if tag][:_MOST_TAGS],
        },
    }


def _result(finding: Finding, place: int) -> dict[str, object]:
    said = finding.evidence or finding.description or finding.title
    return {
        "ruleId": _rule_id(finding),
        "ruleIndex": place,
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": clip(said, _LONGEST_TEXT)},
        "locations": [_location(finding)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "countersignFinding/v1": finding.fingerprint,
        },
        "properties": {
            name: clip(text, _LONGEST_NAME)
            for name, text in (
                ("severity", finding.severity.value),
                ("findingId", finding.id),
                ("account", finding.account_id),
                ("region", finding.region),
            )
            if text
        },
    }


def _location(finding: Finding) -> dict[str, object]:
    """Return the resource as a relative address: escaped, because `arn:` would read as a scheme."""
    resource = clip(finding.resource or finding.title, _LONGEST_TEXT)
    address = quote(encodable(resource).lstrip("/") or "resource", safe="/")
    return {
        "physicalLocation": {"artifactLocation": {"uri": address}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": resource, "kind": "resource"}],
    }
