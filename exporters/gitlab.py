"""GitLab SAST report 15.0.7, for the security dashboard and merge-request approval rules.

One name that is too long, or an empty address, makes GitLab refuse the whole report (gitlab#443628), hence the limits here. The
fields and limits are those of `sast-report-format.json`.
"""

from datetime import UTC, datetime

from audit.findings import Finding
from audit.report import EXPORT_VERSION
from exporters.failing import Failing, check_name, stable_id
from exporters.json_document import JsonDocument, to_json
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource
from exporters.text import clip, web_url

SCHEMA_VERSION = "15.0.7"
_LONGEST_NAME = 255
_LONGEST_DESCRIPTION = 1_048_576
_LONGEST_SOLUTION = 7_000
_TOOL = {
    "id": "countersign",
    "name": "Countersign",
    "version": EXPORT_VERSION,
    "vendor": {"name": "Countersign"},
}


def write_gitlab(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:
    """Write a report of the failing findings; ids stay the same from run to run."""
    failing, document = Failing(source), JsonDocument(out)
    document.member("version", SCHEMA_VERSION)
    document.array("vulnerabilities", (to_json(_vulnerability(finding)) for finding in failing))
    document.member(
        "scan",
        {
            "analyzer": _TOOL,
            "scanner": _TOOL,
            "type": "sast",
            "status": "success",
            "start_time": _time(source.header.generated_at),
            "end_time": _time(now),
            "messages": [{"level": "warn", "value": clip(line, 1000)} for line in failing.errors()],
        },
    )
    document.close()
    return failing.passage.written()


def _time(moment: datetime) -> str:
    """Return UTC without zone or fraction, the only form the schema takes."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def _vulnerability(finding: Finding) -> dict[str, object]:
    check = clip(check_name(finding), _LONGEST_NAME)
    address = web_url(finding.reference_url)
    return {
        "id": stable_id(finding),
        "name": clip(finding.title, _LONGEST_NAME),
        "description": clip(finding.description, _LONGEST_DESCRIPTION),
        "severity": finding.severity.capitalize(),
        "solution": clip(finding.remediation, _LONGEST_SOLUTION),
        "identifiers": [{"type": "countersign_check", "name": check, "value": check}],
        **({"links": [{"url": address}]} if address else {}),
        "location": {"file": finding.resource or finding.title, "start_line": 1, "end_line": 1},
        "details": _details(finding),
    }


def _details(finding: Finding) -> dict[str, dict[str, str]]:
    """Return what the dashboard shows beside the location: where in the cloud it is, and what was seen."""
    texts = {
        "Account": finding.account_id,
        "Region": finding.region,
        "Service": finding.service,
        "Resource type": finding.resource_type,
        "Evidence": finding.evidence,
        "Category": finding.category,
    }
    return {
        name.lower().replace(" ", "_"): {"type": "text", "name": name, "value": text}
        for name, text in texts.items()
        if text
    }
