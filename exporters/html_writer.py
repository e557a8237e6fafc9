"""The full report as one HTML file: it needs nothing but itself, online or off."""

from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from audit.report import COMPLIANT_FROM_PERCENT, REVIEW_FROM_PERCENT
from exporters import charts
from exporters.brand import Brand
from exporters.html_body import Body
from exporters.outcome import ByteSink, Passage, Written
from exporters.source import ReportSource
from exporters.templating import asset, source_hash, template
from exporters.text import percent
from exporters.view import facts, minute, posture, severity_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStyle:
    """Whose page it is, and what it shows beside the report itself."""

    brand: Brand = field(default_factory=Brand)
    has_contents: bool = True
    has_charts: bool = True


PLAIN = PageStyle()


def write_html(source: ReportSource, out: ByteSink, *, now: datetime, style: PageStyle = PLAIN) -> Written:
    """Write the page. Findings that cannot be shown are left out, counted and named on it."""
    passage, header = Passage(), source.header
    with Body() as body:
        for row in passage.each(source.records(), body.shape):
            body.place(row)
        body.close_group()
        page = template("report.html.j2").generate(
            **_chrome(style.brand),
            header=header,
            facts=facts(header, now),
            exported=minute(now),
            posture=posture(header.summary),
            counts=severity_counts(header.summary),
            body=body,
            contents=body.contents if style.has_contents else None,
            charts=charts if style.has_charts else None,
            percent=percent,
            left_out=[*header.rejected[:100], *passage.lines()],
            compliant_from=COMPLIANT_FROM_PERCENT,
            review_from=REVIEW_FROM_PERCENT,
        )
        for chunk in page:
            out.write(chunk.encode())
    return passage.written()


def _chrome(brand: Brand) -> dict[str, object]:
    """Return what dresses the page: its style and script, and the policy that lets only those two run."""
    style, script = style_sheet("report.css", brand), asset("report.js")
    policy = (
        f"default-src 'none'; style-src {source_hash(style)}; script-src {source_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return {"brand": brand, "style": style, "script": script, "policy": policy}


def style_sheet(name: str, brand: Brand) -> Markup:
    """Return a style sheet of ours with the brand's two colours before it."""
    colours = f":root{{--brand:{brand.colour};--on-brand:{brand.text_colour}}}\n"
    return Markup(colours) + asset(name)  # noqa: S704 - Brand lets only #rrggbb pass
