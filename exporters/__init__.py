"""A report as a file, a message or a mail.

The specification's classes; the bot, the command line and schedules go through `exporters.service`, which writes with the
same writers without holding the report. Importing this costs little: Jinja2 and its like come with the first page.
"""

from exporters.brand import Brand
from exporters.csv_exporter import CSVExporter
from exporters.email_service import EmailService
from exporters.html_exporter import HTMLExporter
from exporters.json_exporter import JSONExporter
from exporters.pdf_exporter import PDFExporter

__all__ = ["Brand", "CSVExporter", "EmailService", "HTMLExporter", "JSONExporter", "PDFExporter"]
