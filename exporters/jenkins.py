"""Jenkins Warnings-NG, its native JSON format (`*.json` with an `issues` list).

Its parser takes four severities and silently makes a custom one of any other word; a null or a number in the wrong place fails
the whole file; messages are shown as HTML (jenkinsci/analysis-model, `JsonParser`, `JsonBaseParser`).
"""

from datetime import datetime

from markupsafe import escape

from audit.findings import Finding, Severity
from exporters.failing import Failing, check_name, stable_id
from exporters.json_document import JsonDocument, to_json
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource
from exporters.text import clip

_LONGEST_TEXT = 20_000
_SEVERITIES = {
    Severity.CRITICAL: "ERROR",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "NORMAL",
    Severity.LOW: "LOW",
    Severity.INFO: "LOW",
}


def write_jenkins(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:  # noqa: ARG001 - the format states no time
    """Write an issue per failing finding; ids stay the same from build to build."""
    failing, document = Failing(source), JsonDocument(out)
    document.array("issues", (to_json(_issue(finding)) for finding in failing))
    document.close()
    return failing.passage.written()


def _issue(finding: Finding) -> dict[str, object]:
    return {
        "id": stable_id(finding),
        "fingerprint": finding.fingerprint,
        "fileName": finding.resource or finding.title,
        "lineStart": 1,
        "severity": _SEVERITIES[finding.severity],
        "category": finding.category,
        "type": check_name(finding),
        "moduleName": finding.account_id,
        "packageName": finding.service,
        "message": _html(finding.title),
        "description": _html("\n\n".join(filter(None, _texts(finding)))),
    }


def _texts(finding: Finding) -> tuple[str, str, str]:
    return (finding.evidence, finding.description, finding.remediation)


def _html(text: str) -> str:
    return str(escape(clip(text, _LONGEST_TEXT))).replace("\n", "<br>")
