"""A report of any size passes through in the same memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# Each finding carries 2 kB: 100 000 of them held at once would take far more than the bound.
_PROGRAM = """
import resource, sys
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def ingest(count, content):
    items = (a_finding(number, description="d" * 2000) for number in range(count))
    return stores.reports.ingest(a_reading(items, content=content), actor=ANALYST, now=NOW).header.report_id

stores = Stores.open(sys.argv[1])
sum(1 for _ in stores.reports.stream_findings(ingest(2000, "warm up")))
before = peak_mb()
count = sum(1 for _ in stores.reports.stream_findings(ingest(int(sys.argv[2]), "large")))
print(count, peak_mb() - before)
"""


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_loading_and_streaming_hold_no_report(url: str, count: int) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _PROGRAM, url, str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    streamed, grown_mb = child.stdout.split()
    assert int(streamed) == count
    assert float(grown_mb) < 25
