"""Reports that were never finished are removed in short transactions, by whoever sweeps."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func
from sqlmodel import select

from audit.actor import Actor
from audit.ingest import Reading
from storage import Stores, open_engine, upgrade
from storage.removing import STEP, remove_loading
from storage.tables import LOADING, FindingRow, ReportRow
from tests.conftest import NOW
from tests.contract.conftest import a_schema
from tests.unit.handlers.house import DOOR

LATER = NOW + timedelta(hours=1, seconds=1)


def abandoned(stores: Stores, *, rows: int) -> int:
    """Leave a report as a process leaves it that died while loading."""
    reading = Reading(source="x", name="n", content_sha256="0" * 64, generated_at=NOW, items=iter([DOOR]))
    stores.reports.ingest(reading, actor=Actor(origin="cli"), now=NOW)
    with stores.database.writing() as session:
        done = session.exec(select(ReportRow)).one()
        report = ReportRow(**{**done.model_dump(), "report_key": None, "state": LOADING})
        session.add(report)
        session.flush()
        assert report.report_key is not None
        row = session.exec(select(FindingRow)).one().model_dump()
        for position in range(rows):
            session.add(FindingRow(**{**row, "report_key": report.report_key, "position": position}))
        return report.report_key


def left(stores: Stores) -> int:
    """Count the rows beside those of the finished report, which stays."""
    with stores.database.reading() as session:
        rows = session.exec(select(func.count()).select_from(FindingRow)).one()
        return rows + session.exec(select(func.count()).select_from(ReportRow)).one() - 2


def test_what_was_abandoned_is_found_after_an_hour_and_removed() -> None:
    stores = Stores.in_memory()
    abandoned(stores, rows=3)
    assert not stores.reports.has_abandoned(NOW)
    stores.reports.remove_abandoned(NOW)
    assert left(stores) == 4
    assert stores.reports.has_abandoned(LATER)
    stores.reports.remove_abandoned(LATER)
    assert left(stores) == 0
    assert not stores.reports.has_abandoned(LATER)
    abandoned(stores, rows=1)
    assert stores.reports.has_abandoned(NOW - timedelta(days=1)), "by a clock that was ahead"
    stores.close()


def test_no_transaction_deletes_more_than_a_step() -> None:
    stores = Stores.in_memory()
    key = abandoned(stores, rows=2 * STEP + 1)
    commits: list[object] = []
    event.listen(stores.database.engine, "commit", commits.append)
    remove_loading(stores.database, key)
    assert len(commits) == 4, "two whole steps, the last row, the report"
    assert left(stores) == 0
    stores.close()


def test_a_report_that_is_visible_stays() -> None:
    stores = Stores.in_memory()
    key = abandoned(stores, rows=1)
    remove_loading(stores.database, key - 1)
    assert left(stores) == 2
    stores.close()


@pytest.mark.slow
def test_more_than_a_step_is_removed_on_postgres(postgres: str) -> None:
    with a_schema(postgres) as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        stores = Stores.open(url)
        try:
            abandoned(stores, rows=STEP + 1)
            stores.reports.remove_abandoned(LATER)
            assert left(stores) == 0
        finally:
            stores.close()
