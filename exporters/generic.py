"""For any pipeline: one status to branch on, the counts, and the failing findings in short."""

from datetime import datetime

from audit.findings import Finding
from exporters.failing import Failing
from exporters.json_document import JsonDocument, to_json
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource


def write_generic(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:
    """Write an object whose `status` is the worst severity that fails (`CRITICAL` … `INFO`), or `PASS`."""
    failing, document, header = Failing(source), JsonDocument(out), source.header
    document.member("metadata", header.metadata(now, "pipeline"))
    document.array("findings", (to_json(_short(finding)) for finding in failing))
    document.member("status", failing.status)
    document.member("counts", failing.count_by_word())
    document.member("failing", failing.counts.total())
    document.member("security_score", header.summary["security_score"])
    document.member("errors", failing.errors())
    document.close()
    return failing.passage.written()


def _short(finding: Finding) -> dict[str, str]:
    return {
        "id": finding.id,
        "fingerprint": finding.fingerprint,
        "severity": finding.severity.value,
        "title": finding.title,
        "resource": finding.resource,
        "remediation": finding.remediation,
    }
