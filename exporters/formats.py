"""Every format a report can be exported to, by the name people type.

A format is one entry here; the Slack command, the command line, schedules and the service read this table and know no
format by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType

from audit.errors import InputError
from exporters.csv_writer import write_csv, write_matrix, write_summary, write_tracker
from exporters.executive_writer import write_executive
from exporters.html_writer import PageStyle, write_html
from exporters.json_writer import write_json
from exporters.mail_writer import PLAIN_MAIL, MailStyle, write_mail
from exporters.outcome import ByteSink, Written
from exporters.pdf_exporter import write_pdf
from exporters.pipelines import PIPELINES
from exporters.source import ReportSource, Write


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: `suffix` ends the file's name, with the dot, and tells formats of one kind apart."""

    name: str
    suffix: str
    media_type: str
    description: str
    write: Write


def export_formats(mail: MailStyle = PLAIN_MAIL) -> Mapping[str, ExportFormat]:
    """Return the formats, dressed for a brand, in the order they are offered; `mail` also says whose pages they are."""
    page = PageStyle(brand=mail.brand)
    html, executive = partial(write_html, style=page), partial(write_executive, style=page)
    email = partial(write_mail, style=mail)
    formats = (
        ExportFormat("html", ".html", "text/html", "full report for people, one file", html),
        ExportFormat("executive", "-executive.html", "text/html", "one page for management", executive),
        ExportFormat("email", "-email.html", "text/html", "body of a mail", email),
        ExportFormat(
            "pdf", ".pdf", "application/pdf", "report for print", partial(write_pdf, brand=mail.brand)
        ),
        ExportFormat("json", ".json", "application/json", "full report for programs", write_json),
        ExportFormat("csv", ".csv", "text/csv", "findings for a spreadsheet", _csv),
        ExportFormat("tracker", "-tracker.csv", "text/csv", "who fixes what by when", _tracker),
        ExportFormat("compliance", "-compliance.csv", "text/csv", "compliance matrix", _matrix),
        ExportFormat("summary", "-summary.csv", "text/csv", "the report's numbers", _summary),
        *(
            ExportFormat(kind.name, kind.suffix, "application/json", kind.description, kind.write)
            for kind in PIPELINES.values()
        ),
    )
    return MappingProxyType({entry.name: entry for entry in formats})


def _csv(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:  # noqa: ARG001 - a table states no time
    return write_csv(source.records(), out)


def _tracker(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:  # noqa: ARG001 - see above
    return write_tracker(source.records(), out)


def _matrix(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:  # noqa: ARG001 - see above
    write_matrix(source.header.compliance, out)
    return Written(source.header.summary["total_findings"])


def _summary(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:  # noqa: ARG001 - see above
    write_summary(source, out)
    return Written(source.header.summary["total_findings"])


EXPORT_FORMATS: Mapping[str, ExportFormat] = export_formats()


def format_named(name: str, formats: Mapping[str, ExportFormat] = EXPORT_FORMATS) -> ExportFormat:
    """Return the format meant by a word a person typed.

    Raises:
        InputError: none goes by that name; names the nearest and lists all.
    """
    word = name.strip().lower()
    if word in formats:
        return formats[word]
    near = get_close_matches(word, formats, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise InputError(f"“{name[:40]}” is no export format.{hint} There are: {', '.join(formats)}.")
