"""A report is never held: what a writer keeps does not grow with the findings that stream by."""

import tracemalloc
from collections.abc import Iterator
from typing import cast

import pytest

from audit.findings import FindingDict
from exporters.formats import EXPORT_FORMATS
from exporters.source import ReportSource
from tests.unit.exporters.samples import NOW, finding, report

FINDINGS = 3_000
MOST_HELD = 4_000_000


class Nowhere:
    """Takes bytes and keeps their number."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        return len(data)


def stream() -> Iterator[FindingDict]:
    """Make findings on the way: ten checks, half of the findings in the first, every text of a finding's own built anew."""
    for number in range(FINDINGS):
        check = max(0, number * 20 // FINDINGS - 10)
        yield cast(
            "FindingDict",
            finding(
                id=f"F-{number}",
                check_id=f"check_{check}",
                resource=f"arn:aws:s3:::{number:0200}",
                description=f"{check} " + "What it means. " * 100,
                evidence=f"{number} " + "seen " * 300,
            ),
        )


# A PDF is typeset as a whole; it has its own limit.
@pytest.mark.parametrize("name", sorted(set(EXPORT_FORMATS) - {"pdf"}))
def test_a_long_report_is_never_held(name: str) -> None:
    header = ReportSource.from_data(report(), now=NOW).header
    source, out = ReportSource(header, stream), Nowhere()
    EXPORT_FORMATS[name].write(source, out, now=NOW)  # imports and templates are not the report's
    tracemalloc.start()
    try:
        EXPORT_FORMATS[name].write(source, out, now=NOW)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_HELD
