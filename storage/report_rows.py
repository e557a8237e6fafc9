"""Reports and findings as rows, and back."""

from typing import cast

from audit.errors import InputError
from audit.findings import Finding, short_name
from audit.report import FrameworkDict, RecommendationDict, ReportHeader, SummaryDict
from storage.columns import column_text, key_text
from storage.tables import ReportRow


def to_finding_columns(
    report_key: int, position: int, finding: Finding, *, texts_number: int | None
) -> dict[str, object]:
    """Return a finding's columns for a bulk insert, which is too slow through row objects.

    Args:
        report_key: of the report it is in.
        position: where in that.
        finding: what to store.
        texts_number: where the report keeps its texts; None where they stay with it.

    Raises:
        InputError: it could not be read back: no id or title, or text that is not Unicode.
    """
    fingerprint = finding.fingerprint
    return {
        "report_key": report_key,
        "position": position,
        "finding_id": key_text(finding.id),
        "fingerprint": fingerprint,
        "severity_rank": finding.severity.rank,
        "check_id": key_text(finding.check_id),
        "status": finding.status.value,
        "muted": finding.muted,
        "title": column_text(finding.title),
        "resource": column_text(finding.resource),
        "account_id": column_text(finding.account_id),
        "region": column_text(finding.region),
        "body": _to_body(finding, short_name(fingerprint), is_bare=texts_number is not None),
        "texts_number": texts_number,
    }


def _to_body(finding: Finding, handle: str, *, is_bare: bool) -> bytes:
    if not finding.id.strip() or not finding.title.strip():
        raise InputError("a finding needs an id and a title")
    return finding.to_json(handle, is_bare=is_bare)


def to_header(row: ReportRow) -> ReportHeader:
    """Return a report's header."""
    return ReportHeader(
        report_id=row.report_id,
        source=row.source,
        name=row.name,
        generated_at=row.generated_at,
        summary=cast("SummaryDict", row.summary),
        compliance=cast("dict[str, FrameworkDict]", row.compliance),
        recommendations=cast("list[RecommendationDict]", row.recommendations),
        rejected=tuple(row.rejected),
    )
