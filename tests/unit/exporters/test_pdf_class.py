"""`PDFExporter`: the PDF by the same road as the specification's other exporters, for `AWSAuditReport` to draw with."""

from pathlib import Path

import pytest

from audit.errors import InputError
from exporters import PDFExporter
from tests.unit.exporters.samples import NOW, report


def test_a_pdf_is_written_whole_and_its_path_returned(tmp_path: Path) -> None:
    path = tmp_path / "audit.pdf"
    assert PDFExporter(clock=lambda: NOW).export_report_to_pdf(report(), path) == str(path)
    assert path.read_bytes().startswith(b"%PDF")
    assert [entry.name for entry in tmp_path.iterdir()] == ["audit.pdf"]


def test_what_is_no_report_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a list"):
        PDFExporter().export_report_to_pdf({"findings": "none"}, tmp_path / "audit.pdf")
    assert list(tmp_path.iterdir()) == []
