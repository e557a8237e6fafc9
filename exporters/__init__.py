"""A report as a file, a message or a mail.

The specification's classes; the bot, the command line and schedules go through `exporters.service`, which writes with the
same writers without holding the report. Importing this costs little: Jinja2 and its like come with the first page, what mails
and waits comes with the scheduler.
"""

from typing import TYPE_CHECKING

from exporters.brand import Brand
from exporters.csv_exporter import CSVExporter
from exporters.email_service import EmailService
from exporters.html_exporter import HTMLExporter
from exporters.json_exporter import JSONExporter
from exporters.pdf_exporter import PDFExporter

if TYPE_CHECKING:
    from exporters.email_scheduler import EmailScheduler

__all__ = [
    "Brand",
    "CSVExporter",
    "EmailScheduler",
    "EmailService",
    "HTMLExporter",
    "JSONExporter",
    "PDFExporter",
]


def __getattr__(name: str) -> object:
    """Bring the scheduler in when it is first asked for."""
    if name != "EmailScheduler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from exporters.email_scheduler import EmailScheduler

    return EmailScheduler
