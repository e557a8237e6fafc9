"""The trail cannot be rewritten, and nothing happens without it."""

import pytest
from sqlalchemy import text

from audit.errors import NotFoundError, TrailError
from audit.trail import GENESIS, breaks, link
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_reading, an_event, an_execution


@pytest.fixture
def recorded(stores: Stores) -> Stores:
    for number in range(3):
        stores.trail.record(an_event(number=number))
    return stores


def run(stores: Stores, sql: str, **values: object) -> None:
    with stores.database.writing() as session:
        session.connection().execute(text(sql), values)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trail SET body = x'00' WHERE seq = 2",
        "UPDATE trail SET seq = 9 WHERE seq = 3",
        "DELETE FROM trail WHERE seq = 3",
        "DELETE FROM trail",
        "INSERT OR REPLACE INTO trail SELECT seq, x'00', previous_hash, entry_hash FROM trail WHERE seq = 2",
        "INSERT OR REPLACE INTO trail SELECT 4, x'00', previous_hash, x'01' FROM trail WHERE seq = 3",
        "INSERT OR REPLACE INTO trail SELECT 4, x'00', entry_hash, entry_hash FROM trail WHERE seq = 3",
        "INSERT INTO trail SELECT 7, x'00', entry_hash, x'01' FROM trail WHERE seq = 3",
    ],
)
def test_no_statement_rewrites_the_trail(recorded: Stores, sql: str) -> None:
    before = list(recorded.trail.stream())
    with pytest.raises(Exception, match="the trail is append-only"):
        run(recorded, sql)
    assert list(recorded.trail.stream()) == before


def test_the_first_entry_must_follow_nothing(stores: Stores) -> None:
    body = b"{}"
    insert = "INSERT INTO trail VALUES (1, :body, :previous, :entry)"
    with pytest.raises(Exception, match="append-only"):
        run(stores, insert, body=body, previous=bytes(31) + b"1", entry=link(GENESIS, body))
    run(stores, insert, body=body, previous=GENESIS, entry=link(GENESIS, body))
    assert list(breaks(stores.trail.stream())) == []


@pytest.fixture
def shut(stores: Stores) -> Stores:
    """Stores whose trail takes no entry, as one on a failing disk would."""
    run(stores, "CREATE TRIGGER shut BEFORE INSERT ON trail BEGIN SELECT RAISE(ABORT, 'no'); END")
    return stores


def test_without_the_trail_no_execution_is_created(shut: Stores) -> None:
    with pytest.raises(TrailError):
        shut.executions.create(an_execution(), an_event())
    with pytest.raises(NotFoundError):
        shut.executions.get("exec-1")


def test_without_the_trail_no_report_becomes_visible_and_no_row_stays(shut: Stores) -> None:
    with pytest.raises(TrailError):
        shut.reports.ingest(a_reading(), actor=ANALYST, now=NOW)
    assert shut.reports.list_reports() == []
    with shut.database.reading() as session:
        rows = session.connection().execute(
            text("SELECT report_key FROM findings UNION SELECT 1 FROM reports")
        )
        assert rows.all() == []


def test_a_trail_on_a_database_without_tables_says_what_to_do(stores: Stores) -> None:
    run(stores, "ALTER TABLE trail RENAME TO elsewhere")
    with pytest.raises(TrailError, match="nothing was changed: .* run `countersign db upgrade`"):
        stores.trail.record(an_event())
