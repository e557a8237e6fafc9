"""Rows of reports as what they stand for."""

from typing import cast

from audit.report import FrameworkDict, RecommendationDict, ReportHeader, SummaryDict
from storage.tables import ReportRow


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
