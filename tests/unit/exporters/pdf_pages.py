"""A PDF read back by poppler, a reader that nobody here wrote."""

import io
import re
import subprocess
from datetime import datetime

from exporters.brand import Brand
from exporters.outcome import Written
from exporters.pdf_exporter import PLAIN, write_pdf
from exporters.source import ReportSource
from tests.conftest import need
from tests.unit.exporters.samples import NOW

_CONTENTS_LINE = re.compile(r"^ *(\S.*?) ?(?:\. ?){3,}[ \u2060]*(\d+)$", re.MULTILINE)


class Pdf:
    """A report as a PDF: its bytes, what the writer said, its pages as text."""

    def __init__(self, content: bytes, written: Written) -> None:
        self.content, self.written = content, written
        self.pages = self._poppler("pdftotext", "-layout", "-", "-").split("\f")[:-1]

    @property
    def text(self) -> str:
        """Return all text in the order it was written, without white space: lines break anywhere."""
        return squeezed(self._poppler("pdftotext", "-raw", "-", "-"))

    @property
    def info(self) -> dict[str, str]:
        lines = (line.partition(":") for line in self._poppler("pdfinfo", "-").splitlines())
        return {name: value.strip() for name, _, value in lines}

    @property
    def structure(self) -> list[str]:
        """Return the names of the structure's elements in reading order."""
        return [line.split()[0].rstrip(":") for line in self._poppler("pdfinfo", "-struct", "-").splitlines()]

    @property
    def links(self) -> set[str]:
        """Return the addresses that lead out of the document."""
        return {line.split()[-1] for line in self._poppler("pdfinfo", "-url", "-").splitlines()[1:]}

    @property
    def contents(self) -> list[tuple[str, int]]:
        """Return the lines of the table of contents: what, and on which page."""
        return [(name, int(page)) for name, page in _CONTENTS_LINE.findall("\n".join(self.pages))]

    @property
    def furthest_right(self) -> float:
        """Return the right edge of the word that stands furthest right, in points."""
        return max(
            float(edge)
            for edge in re.findall(r'xMax="([\d.]+)"', self._poppler("pdftotext", "-bbox", "-", "-"))
        )

    @property
    def claims_pdf_ua(self) -> bool:
        return b"pdfuaid" in self.content

    def _poppler(self, *command: str) -> str:
        done = subprocess.run(command, input=self.content, capture_output=True, check=True)
        return done.stdout.decode()


def pdf_of(data: dict[str, object] | ReportSource, *, now: datetime = NOW, brand: Brand = PLAIN) -> Pdf:
    """Write a report and read it back, or skip loudly where a tool is missing."""
    require_tools()
    source = data if isinstance(data, ReportSource) else ReportSource.from_data(data, now=NOW)
    out = io.BytesIO()
    written = write_pdf(source, out, now=now, brand=brand)
    return Pdf(out.getvalue(), written)


def require_tools() -> None:
    need("pdftotext", "apt-get install poppler-utils")


def squeezed(text: str) -> str:
    return "".join(text.split())
