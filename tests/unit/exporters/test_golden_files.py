"""Every format of the sample report, byte by byte. `UPDATE_GOLDEN=1` writes them anew: read the difference."""

import io
import os
from pathlib import Path

import pytest

from exporters.formats import EXPORT_FORMATS
from exporters.source import ReportSource
from tests.unit.exporters.samples import NOW, report

# A PDF's bytes are typst's: what stands in them is tested in test_pdf_exporter.py.
TEXT_FORMATS = tuple(name for name in EXPORT_FORMATS if name != "pdf")
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "exporters"


def rendered(name: str) -> bytes:
    out = io.BytesIO()
    EXPORT_FORMATS[name].write(ReportSource.from_data(report(), now=NOW), out, now=NOW)
    return out.getvalue()


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_the_bytes_are_those_of_the_golden_file(name: str) -> None:
    golden = GOLDEN / f"northwind{EXPORT_FORMATS[name].suffix}"
    content = rendered(name)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(content)
    assert content == golden.read_bytes()


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_the_same_input_and_clock_give_the_same_bytes(name: str) -> None:
    assert rendered(name) == rendered(name)


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"northwind{EXPORT_FORMATS[name].suffix}" for name in TEXT_FORMATS
    }
