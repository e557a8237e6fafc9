"""The specification's `HTMLExporter`."""

from collections.abc import Mapping
from os import fspath

from exporters.brand import Brand
from exporters.clock import Clock, utc_now
from exporters.html_writer import PageStyle, write_html
from exporters.source import ReportSource
from exporters.writing import AnyPath, replacing


class HTMLExporter:
    """Writes reports for people: a page, a mail, one sheet of paper.

    Every method writes its file atomically and returns the path. What is malformed is left out and named on the page.

    Args:
        brand: name, colour and logo of the report's owner.
        clock: gives the time of the export, aware.

    Raises:
        InputError: every method, where the path cannot be written or the input is no report.
    """

    def __init__(self, *, brand: Brand | None = None, clock: Clock = utc_now) -> None:
        self._brand = brand or Brand()
        self._clock = clock

    def export_report_to_html(
        self,
        report_data: Mapping[str, object],
        output_path: AnyPath,
        include_toc: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
        include_charts: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> str:
        """Write the full report, with or without a table of contents and charts."""
        now = self._clock()
        source = ReportSource.from_data(report_data, now=now)
        style = PageStyle(brand=self._brand, has_contents=include_toc, has_charts=include_charts)
        with replacing(output_path) as out:
            write_html(source, out, now=now, style=style)
        return fspath(output_path)
