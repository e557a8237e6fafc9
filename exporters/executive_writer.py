"""The executive summary: one printed page."""

from datetime import datetime

from exporters import charts
from exporters.brand import Brand
from exporters.html_writer import PageStyle
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource
from exporters.templating import source_hash, style_sheet, template
from exporters.text import percent
from exporters.view import (
    day,
    minute,
    posture,
    pressing,
    scores,
    severity_counts,
    trend,
    weakest,
)

MOST_FINDINGS = 4
MOST_STEPS = 4
MOST_FRAMEWORKS = 5
PLAIN_PAGE = PageStyle()


def write_executive(
    source: ReportSource, out: ByteSink, *, now: datetime, style: PageStyle = PLAIN_PAGE
) -> Written:
    """Write one page: posture, score and trend, key findings, compliance, next steps."""
    header = source.header
    page = template("executive.html.j2").render(
        **_chrome(style.brand),
        header=header,
        scanned=day(header.generated_at),
        exported=minute(now),
        posture=posture(header.summary),
        counts=severity_counts(header.summary),
        trend=trend(header, source.earlier),
        scores=scores(header, source.earlier),
        findings=pressing(source, MOST_FINDINGS),
        frameworks=weakest(header.compliance, MOST_FRAMEWORKS),
        steps=header.recommendations[:MOST_STEPS],
        charts=charts,
        percent=percent,
    )
    out.write(page.encode())
    return Written(header.summary["total_findings"])


def _chrome(brand: Brand) -> dict[str, object]:
    style = style_sheet("executive.css", brand)
    policy = f"default-src 'none'; style-src {source_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    return {"brand": brand, "style": style, "policy": policy}
