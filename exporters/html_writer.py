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
from exporters.templating import asset, source_hash, style_sheet, template
from exporters.text import percent
from exporters.view import facts, minute, posture, severity_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStyle:
    """Whose page it is, and what it shows beside the report itself."""

    brand: Brand = field(default_factory=Brand)
    has_contents: bool = True
    has_charts: bool = True


PLAIN = PageStyle()
MOST_NAMED = 100


def write_html(source: ReportSource, out: ByteSink, *, now: datetime, style: PageStyle = PLAIN) -> Written:
    """Write the page. Findings that cannot be shown are left out, counted and named on it."""
    passage, header = Passage(), source.header
    with Body() as body:
        for row in passage.each(source.records(), body.shape):
            body.place(row)
        body.close_group()
        page = template("report.html.j2").render(
            **_chrome(style.brand),
            header=header,
            facts=facts(header, now),
            exported=minute(now),
            posture=posture(header.summary),
            counts=severity_counts(header.summary),
            body=body,
            part=_place,
            contents=body.contents if style.has_contents else None,
            charts=charts if style.has_charts else None,
            percent=percent,
            left_out=[*header.rejected[:MOST_NAMED], *passage.lines()],
            compliant_from=COMPLIANT_FROM_PERCENT,
            review_from=REVIEW_FROM_PERCENT,
        )
        _write_page(page, body, out)
    return passage.written()


def _place(name: str) -> Markup:
    """Return a mark for where a part goes. It holds a NUL, which no text in a page can (`showable`)."""
    return Markup("\0{}\0").format(name)


def _write_page(page: str, body: Body, out: ByteSink) -> None:
    """Write the page around the parts, which may be larger than the memory."""
    for number, piece in enumerate(page.split("\0")):
        if number % 2:
            body.copy_part(piece, out)
        else:
            out.write(piece.encode())


def _chrome(brand: Brand) -> dict[str, object]:
    """Return what dresses the page: its style and script, and the policy that lets only those two run."""
    style, script = style_sheet("report.css", brand), asset("report.js")
    policy = (
        f"default-src 'none'; style-src {source_hash(style)}; script-src {source_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return {"brand": brand, "style": style, "script": script, "policy": policy}
