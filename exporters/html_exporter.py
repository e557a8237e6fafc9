"""The specification's `HTMLExporter`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from os import fspath

from exporters.brand import Brand
from exporters.clock import Clock, utc_now
from exporters.executive_writer import write_executive
from exporters.html_writer import PageStyle, write_html
from exporters.mail_writer import MailStyle, write_mail
from exporters.source import ReportSource, Write
from exporters.writing import AnyPath, replacing


class HTMLExporter:
    """Writes reports for people: a page, a mail, one sheet of paper.

    Every method writes its file atomically and returns the path. What is malformed is left out and named on the page.

    Args:
        brand: name, colour and logo of the report's owner.
        clock: gives the time of the export, aware.
        report_url: where a mail's View Report leads; without it there is no such button.
        dashboard_url: the same for View Dashboard.

    Raises:
        ConfigError: an address that is no web address.
        InputError: every method, where the path cannot be written or the input is no report.
    """

    def __init__(
        self,
        *,
        brand: Brand | None = None,
        clock: Clock = utc_now,
        report_url: str = "",
        dashboard_url: str = "",
    ) -> None:
        self._brand = brand or Brand()
        self._clock = clock
        self._mail = MailStyle(brand=self._brand, report_url=report_url, dashboard_url=dashboard_url)

    def export_report_to_html(
        self,
        report_data: Mapping[str, object],
        output_path: AnyPath,
        include_toc: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
        include_charts: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> str:
        """Write the full report, with or without a table of contents and charts."""
        style = PageStyle(brand=self._brand, has_contents=include_toc, has_charts=include_charts)
        return self._write(partial(write_html, style=style), report_data, output_path)

    def export_email_template(
        self,
        report_data: Mapping[str, object],
        output_path: AnyPath,
        recipient_name: str | None = None,
        include_cta: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> str:
        """Write the body of a mail, below 102 kB; its buttons show where addresses are configured."""
        style = replace(self._mail, recipient_name=recipient_name or "", has_buttons=include_cta)
        return self._write(partial(write_mail, style=style), report_data, output_path)

    def export_executive_summary_html(self, report_data: Mapping[str, object], output_path: AnyPath) -> str:
        """Write one printed page: posture, score, key findings, compliance, next steps."""
        style = PageStyle(brand=self._brand)
        return self._write(partial(write_executive, style=style), report_data, output_path)

    def _write(self, write: Write, report_data: Mapping[str, object], output_path: AnyPath) -> str:
        now = self._clock()
        source = ReportSource.from_data(report_data, now=now)
        with replacing(output_path) as out:
            write(source, out, now=now)
        return fspath(output_path)
