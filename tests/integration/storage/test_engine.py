import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from audit.errors import ConfigError, CountersignError, TrailError
from remediation.clock import utc_now
from storage import Database, SqlTrail, Stores, open_engine, upgrade
from storage.log import ROOM_BYTES
from tests.fakes.samples import an_event, an_execution


@contextmanager
def impatient(engine: Engine) -> Iterator[SqlTrail]:
    """A trail whose connections wait for a lock for a millisecond only."""
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1"))
    engine.dispose()
    yield SqlTrail(Database(engine))
    engine.dispose()


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        engine = open_engine(f"sqlite:///{tmp_path}/private.db")
        upgrade(engine)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        engine.dispose()
    finally:
        os.umask(before)
    assert modes == {"private.db": 0o600, "private.db-wal": 0o600, "private.db-shm": 0o600}


def test_an_existing_file_keeps_its_mode_and_content(stores: Stores, url: str) -> None:
    stores.trail.record(an_event())
    again = Stores.open(url)
    assert again.trail.head() == stores.trail.head()
    again.close()


def test_connections_are_set_up_for_durability(stores: Stores) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}
    with stores.database.engine.begin() as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted}
    assert found == wanted


def test_what_is_loaded_waits_for_no_disk_and_leaves_the_connection_as_it_was(stores: Stores) -> None:
    level = text("PRAGMA synchronous")
    for _ in range(2):
        with stores.database.loading() as session:
            connection = session.connection()
            used = connection.connection.driver_connection
            assert connection.execute(level).scalar() == 1
        with stores.database.writing() as session:
            connection = session.connection()
            assert connection.connection.driver_connection is used, "the pool gave another one"
            assert connection.execute(level).scalar() == 2


def test_the_log_is_brought_into_the_file_while_somebody_writes(stores: Stores, url: str) -> None:
    stores.trail.record(an_event())
    with stores.database.writing():
        other = threading.Thread(target=stores.database.settle, daemon=True)
        other.start()
        other.join(timeout=30)
        assert not other.is_alive(), "it waits for its turn"
    with closing(
        sqlite3.connect(Path(url.removeprefix("sqlite:///")).as_uri() + "?immutable=1", uri=True)
    ) as alone:
        assert alone.execute("SELECT count(*) FROM trail").fetchone() == (1,), "without the log"


def test_many_commits_make_the_log_long_until_it_is_brought_into_the_file(stores: Stores) -> None:
    assert not stores.database.has_long_log
    for _ in range(250):
        stores.executions.beat("boot-1", utc_now())
    assert stores.database.has_long_log
    stores.database.settle()
    assert not stores.database.has_long_log


def test_the_log_is_given_room_and_the_database_is_as_it_was(stores: Stores, url: str) -> None:
    file = Path(url.removeprefix("sqlite:///"))
    stores.trail.record(an_event())
    stores.database.settle()
    before = file.read_bytes()
    stores.database.make_room()
    log = Path(f"{file}-wal")
    room = log.stat().st_size
    assert room >= ROOM_BYTES
    stores.trail.record(an_event())
    stores.database.make_room()
    stores.database.settle()
    assert log.stat().st_size == room, "it is written over"
    assert len(file.read_bytes()) == len(before)
    with stores.database.reading() as session:
        tables = text("SELECT count(*) FROM sqlite_master WHERE name = 'room'")
        assert session.connection().execute(tables).scalar() == 0
    with stores.database.reading() as session:
        pragma = session.connection().execute(text("PRAGMA cache_size")).scalar()
        assert pragma == -8192, "the connection with the small cache is kept"


def test_room_that_cannot_be_had_stops_nothing(stores: Stores) -> None:
    with impatient(stores.database.engine), stores.database.engine.begin():
        stores.database.make_room()
    stores.trail.record(an_event())


def test_a_log_with_room_is_brought_into_the_file_before_it_grows(stores: Stores, url: str) -> None:
    stores.database.make_room()
    log = Path(url.removeprefix("sqlite:///") + "-wal")
    room = log.stat().st_size
    for number in range(250):
        stores.executions.create(an_execution(f"x-{number}", holds=f"door-{number}"), an_event())
        if stores.database.has_long_log:
            stores.database.settle()
    assert log.stat().st_size == room


def test_writers_take_the_lock_before_they_read(stores: Stores, url: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0)) as other:
        with stores.database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


def test_readers_take_no_lock_and_see_one_moment(stores: Stores) -> None:
    with stores.database.reading() as session:
        count = text("SELECT count(*) FROM trail")
        before = session.connection().execute(count).scalar()
        stores.trail.record(an_event())
        assert (before, session.connection().execute(count).scalar()) == (0, 0)
    assert stores.trail.head() is not None


def test_an_error_undoes_the_transaction(stores: Stores) -> None:
    with pytest.raises(KeyError), stores.database.writing() as session:  # noqa: PT012 - it has to happen inside
        session.connection().execute(text("CREATE TABLE half (a)"))
        raise KeyError
    with stores.database.reading() as session:
        found = session.connection().execute(text("SELECT name FROM sqlite_master WHERE name = 'half'"))
        assert found.all() == []


def test_a_locked_database_says_so(empty: Engine, url: str) -> None:
    upgrade(empty)
    with impatient(empty) as trail, closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrailError, match="the database is locked") as caught:
            trail.record(an_event())
    assert "\n" not in str(caught.value)


def test_a_full_disk_says_so(stores: Stores) -> None:
    with pytest.raises(CountersignError, match="is full"), stores.database.writing() as session:  # noqa: PT012
        session.connection().execute(text("PRAGMA max_page_count = 1"))
        session.connection().execute(text("CREATE TABLE big (a)"))
        session.connection().execute(text("INSERT INTO big VALUES (zeroblob(9999999))"))


def test_tables_that_are_missing_say_what_to_do(empty: Engine) -> None:
    with pytest.raises(ConfigError, match="countersign db upgrade"):
        SqlTrail(Database(empty)).head()


def test_a_database_that_may_only_be_read_says_so(empty: Engine, url: str) -> None:
    upgrade(empty)
    path = url.removeprefix("sqlite:///")
    engine = open_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(TrailError, match="may not be written to"):
        SqlTrail(Database(engine)).record(an_event())
    engine.dispose()


def test_a_folder_that_is_missing_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        open_engine(f"sqlite:///{tmp_path}/missing/countersign.db")
    assert str(caught.value) == (
        f"DATABASE_URL: cannot create {tmp_path}/missing/countersign.db: No such file or directory"
    )


def test_a_folder_in_place_of_a_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be opened"):
        Stores.open(f"sqlite:///{tmp_path}")


def test_a_file_of_something_else_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(
        "no database at all, but long enough to have a header of its own\n" * 9
    )
    with pytest.raises(ConfigError, match="no SQLite database"):
        Stores.open(f"sqlite:///{tmp_path}/notes.txt")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("countersign.db", "no database address such as sqlite:///countersign.db"),
        ("", "no database address"),
        ("nosuch://host/name", "names nosuch, which is not supported"),
        ("mysql://user:secret@host/name", "names mysql, which is not supported"),
        ("postgresql://user:secret@host:port/name", "no database address"),
    ],
)
def test_an_address_that_cannot_be_used_says_so_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not installed, where it is
    with pytest.raises(ConfigError, match="needs the Python package psycopg"):
        open_engine("postgresql://user:secret@host/name")


def test_a_naive_time_is_refused(stores: Stores) -> None:
    naive = an_execution().created_at.replace(tzinfo=None)
    with pytest.raises(Exception, match="timezone"):
        stores.executions.create(an_execution(created_at=naive), an_event())
    assert stores.trail.head() is None
