"""Loading a report when something gets in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.errors import NotFoundError
from audit.findings import Finding
from audit.ingest import Item, Rejected
from audit.ingest.packing import MOST_REJECTED_LINES
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading

ROOT = Path(__file__).resolve().parents[3]
_BATCHES = 2500

_KILLED = """
import os, signal, sys
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading

def items():
    yield from map(a_finding, range(2500))
    os.kill(os.getpid(), signal.SIGKILL)

Stores.open(sys.argv[1]).reports.ingest(a_reading(items()), actor=ANALYST, now=NOW)
"""


def rows(stores: Stores, table: str) -> int:
    with stores.database.reading() as session:
        return int(session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def test_what_is_loading_is_not_visible_and_blocks_nobody(stores: Stores) -> None:
    def items() -> Iterator[Item]:
        yield from map(a_finding, range(_BATCHES))
        assert rows(stores, "findings") > 0
        assert stores.reports.list_reports() == []
        with pytest.raises(NotFoundError):
            stores.reports.find("scanner-1")
        other = a_reading(content="meanwhile")
        assert stores.reports.ingest(other, actor=ANALYST, now=NOW).is_new

    stores.reports.ingest(a_reading(items()), actor=ANALYST, now=NOW)
    assert len(stores.reports.list_reports()) == 2


def test_of_two_readers_of_the_same_bytes_one_stores_them(stores: Stores) -> None:
    def items() -> Iterator[Item]:
        yield a_finding(1)
        assert stores.reports.ingest(a_reading([a_finding(1)]), actor=ANALYST, now=NOW).is_new

    slower = stores.reports.ingest(a_reading(items()), actor=ANALYST, now=NOW)

    assert not slower.is_new
    assert stores.reports.list_reports() == [slower.header]
    assert (rows(stores, "findings"), rows(stores, "reports"), rows(stores, "trail")) == (1, 1, 1)


def test_a_process_killed_half_way_leaves_nothing_to_see_and_is_swept_later(stores: Stores, url: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _KILLED, url], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert child.returncode == -signal.SIGKILL
    assert rows(stores, "findings") > 0
    assert stores.reports.list_reports() == []

    assert stores.reports.ingest(a_reading(), actor=ANALYST, now=NOW + timedelta(minutes=59)).is_new
    assert rows(stores, "reports") == 2
    stores.reports.ingest(a_reading(content="later"), actor=ANALYST, now=NOW + timedelta(minutes=61))
    assert (rows(stores, "reports"), rows(stores, "findings")) == (2, 2)


@pytest.mark.parametrize(
    "unusable", [a_finding(title=" "), a_finding(id=""), a_finding(description="half a pair: \ud83d")]
)
def test_a_finding_that_could_not_be_read_back_is_rejected(stores: Stores, unusable: Finding) -> None:
    reading = a_reading([a_finding(1), unusable])
    header = stores.reports.ingest(reading, actor=ANALYST, now=NOW).header
    assert header.summary["total_findings"] == 1
    assert len(header.rejected) == 1
    assert header.rejected[0].startswith("finding 2: ")


def test_a_name_that_is_no_unicode_is_mended(stores: Stores) -> None:
    reading = replace(a_reading(), name="scan\udcff\0.json")
    assert stores.reports.ingest(reading, actor=ANALYST, now=NOW).header.name == "scan\ufffd\ufffd.json"


def test_a_flood_of_rejected_findings_is_counted_not_kept(stores: Stores) -> None:
    flood = [Rejected(position, "no title") for position in range(1, MOST_REJECTED_LINES + 3)]
    header = stores.reports.ingest(a_reading([a_finding(), *flood]), actor=ANALYST, now=NOW).header
    assert len(header.rejected) == MOST_REJECTED_LINES + 1
    assert header.rejected[-1] == "and 2 more"


def test_names_too_long_for_an_index_are_still_found(stores: Stores) -> None:
    long = a_finding(id="x" * 5000, check_id="c" * 5000)
    header = stores.reports.ingest(a_reading([long]), actor=ANALYST, now=NOW).header
    assert stores.reports.find("x" * 5000) == long
    assert next(stores.reports.stream_findings(header.report_id)) == long.to_record()
