"""The report as a PDF, for print and mail: cover, contents, charts, compliance, findings by check.

Typst lays it out from a template and a JSON file. Importing this costs nothing; typst is loaded in its own process.
"""

import shutil
from collections.abc import Mapping
from datetime import datetime
from os import fspath
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from exporters.brand import Brand
from exporters.clock import Clock, utc_now
from exporters.outcome import ByteSink, Passage, Written
from exporters.pdf_body import Body
from exporters.pdf_document import Json, document
from exporters.pdf_process import compile_folder, require_typst
from exporters.source import ReportSource
from exporters.templating import TEMPLATES
from exporters.writing import AnyPath, replacing

PLAIN = Brand()
_TEMPLATES = ("report.typ", "report_findings.typ", "report_parts.typ", "report_theme.typ")
_CHUNK = 1 << 20


def write_pdf(source: ReportSource, out: ByteSink, *, now: datetime, brand: Brand = PLAIN) -> Written:
    """Write the report as a tagged PDF; `now` is its date, and the same input and `now` give the same bytes.

    At most 5,000 findings are listed, the most severe ones; the document says how many are not. Malformed findings are
    left out, counted and named in it.

    Raises:
        ConfigError: typst is not installed, or the brand's logo is damaged.
        CountersignError: see `pdf_process.compile_folder`.
    """
    require_typst()
    passage, body = Passage(), Body()
    for entry in passage.each(source.records(), body.shape):
        body.place(entry)
    content = document(source, body, brand=brand, left_out=passage.lines(), now=now)
    with TemporaryDirectory(prefix="countersign-pdf-") as name:
        folder = Path(name)
        _fill(folder, content, brand)
        with compile_folder(folder, created=now).open("rb") as pdf:
            shutil.copyfileobj(pdf, out, _CHUNK)
    return passage.written()


def _fill(folder: Path, content: Json, brand: Brand) -> None:
    """Put all that the template may read into a folder."""
    for template in _TEMPLATES:
        shutil.copyfile(TEMPLATES / template, folder / template)
    folder.joinpath("report.json").write_bytes(orjson.dumps(content))
    if brand.logo:
        folder.joinpath("logo").write_bytes(brand.logo)


class PDFExporter:
    """Writes a report as a PDF: what `AWSAuditReport` is handed to draw with.

    Args:
        brand: name, colour and logo of the report's owner.
        clock: gives the time of the export, aware.
    """

    def __init__(self, *, brand: Brand | None = None, clock: Clock = utc_now) -> None:
        self._brand = brand or PLAIN
        self._clock = clock

    def export_report_to_pdf(self, report_data: Mapping[str, object], output_path: AnyPath) -> str:
        """Write the report atomically and return the path. What is malformed is left out and named in the document.

        Raises:
            InputError: the path cannot be written, or the input is no report.
            ConfigError: typst is not installed, or the brand's logo is damaged.
        """
        now = self._clock()
        source = ReportSource.from_data(report_data, now=now)
        with replacing(output_path) as out:
            write_pdf(source, out, now=now, brand=self._brand)
        return fspath(output_path)
