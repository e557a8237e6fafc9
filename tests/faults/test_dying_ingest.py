"""Kill -9 before each commit of taking a report in: loading it, making it visible, working it into the findings' states."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from audit.errors import NotFoundError
from audit.ingest import Reading
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_reading
from tests.faults import ingesting

ROOT = Path(__file__).resolve().parents[2]
_TABLES = {
    "tracked_findings": "fingerprint, report_key > 1, fixed_at, fixed_by, first_seen_at, last_seen_at, regressed_at",
    "finding_regressions": "execution_id, fingerprint",
    "finding_fixes": "fingerprint, fixed_at, open_s",
    "report_merges": "merge_id",
}


def what_is(stores: Stores) -> dict[str, object]:
    """Return all that a report's coming in leaves behind, but for the times at which we learned of it."""
    with stores.database.reading() as session:
        rows = {
            table: sorted(map(str, session.connection().execute(text(f"SELECT {columns} FROM {table}"))))  # noqa: S608
            for table, columns in _TABLES.items()
        }
    kinds = Counter(orjson.loads(entry.body)["kind"] for entry in stores.trail.stream())
    return {**rows, "trail": kinds, "overview": stores.tracker.overview(NOW + ingesting.LAST)}


def left_loading(stores: Stores) -> int:
    """Count what belongs to reports that nobody sees."""
    with stores.database.reading() as session:
        hidden = "SELECT report_key FROM reports WHERE state = 'loading'"
        counts = (
            session.connection().execute(text(f"SELECT count(*) FROM {table} WHERE report_key IN ({hidden})"))  # noqa: S608
            for table in ("reports", "findings", "finding_texts", "report_scopes")
        )
        return sum(int(count.scalar_one()) for count in counts)


def open_at(path: Path) -> Stores:
    return Stores.open(f"sqlite:///{path}")


def look(stores: Stores, before: dict[str, object]) -> bool:
    """Tell whether the report is there, whole; see that nothing shows where it is not."""
    reports = stores.reports.list_reports()
    if len(reports) == 1:
        with pytest.raises(NotFoundError):
            stores.reports.find(ingesting.NEW[-1].handle)
        assert what_is(stores) == before
        return False
    assert reports[0].summary["total_findings"] == len(
        list(stores.reports.stream_findings(reports[0].report_id))
    )
    assert stores.reports.find(ingesting.NEW[-1].handle) == ingesting.NEW[-1]
    return True


def a_later_one() -> Reading:
    return a_reading([ingesting.STAYING], content="later", generated_at=NOW - timedelta(days=9))


@pytest.mark.slow
def test_whenever_it_dies_all_is_counted_once(tmp_path: Path) -> None:
    ingesting.prepare(tmp_path)
    subprocess.run(
        [sys.executable, "-m", "tests.faults.ingesting", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    base = open_at(tmp_path / "base.db")
    before = what_is(base)
    base.close()
    *dead, living = sorted((path for path in tmp_path.glob("[0-9]*.db")), key=lambda path: int(path.stem))
    undisturbed = open_at(living)
    expected = what_is(undisturbed)
    undisturbed.close()
    assert expected != before
    assert expected["trail"]["finding.regressed"] == 1  # type: ignore[index]

    were_visible = []
    for path in dead:
        stores = open_at(path)
        were_visible.append(look(stores, before))
        assert ingesting.take_in(stores) is not were_visible[-1]
        assert what_is(stores) == expected, path.name
        assert not ingesting.take_in(stores)
        assert what_is(stores) == expected, path.name
        stores.reports.ingest(a_later_one(), actor=ANALYST, now=NOW + 3 * ingesting.LAST)
        assert left_loading(stores) == 0
        stores.close()
    # It died while loading, and while merging; once it was visible, it stayed so.
    assert were_visible == sorted(were_visible)
    assert were_visible.count(False) >= 4
    assert were_visible.count(True) >= 3
