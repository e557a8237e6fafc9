"""Several at once in one commit, each stored or refused as if it had come alone: on SQLite and on Postgres."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, event, text

from audit.errors import ConfigError, InputError
from remediation.ports import Request
from storage import Database, Stores, open_engine
from storage.together import do_each_apart
from tests.fakes.samples import ANALYST, NOW

Unit = Callable[[Connection], str]
HALF_OF_A_PAIR = "\ud83d"


def say(word: str, *, error: Exception | None = None) -> Unit:
    """Return a unit that writes a word, and then raises an error where there is one."""

    def unit(connection: Connection) -> str:
        connection.execute(text("INSERT INTO words VALUES (:word)"), {"word": word})
        if error is not None:
            raise error
        return word

    return unit


def run_all(connection: Connection, units: Sequence[Unit]) -> list[str]:
    return [unit(connection) for unit in units]


@pytest.fixture
def database(racing: Stores) -> Database:
    with racing.database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE words (word TEXT PRIMARY KEY)"))
    return racing.database


def said(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.connection().execute(text("SELECT word FROM words")).scalars())


def count(engine: Engine, what: str) -> list[Connection]:
    seen: list[Connection] = []
    event.listen(engine, what, seen.append)
    return seen


def a_request(name: str, words: str = "") -> Request:
    return Request(request_id=name, kind="action", actor=ANALYST, received_at=NOW, payload={"text": words})


def test_many_share_a_commit(database: Database) -> None:
    commits = count(database.engine, "commit")
    words = [f"w{number}" for number in range(100)]
    assert database.write_each(run_all, [say(word) for word in words]) == [None] * 100
    assert len(commits) == 1
    assert said(database) == set(words)


def test_one_that_fails_has_its_own_error_and_spoils_none_of_the_others(database: Database) -> None:
    no, bug = InputError("no"), KeyError("bug")
    met = database.write_each(run_all, [say("a"), say("b", error=no), say("c"), say("d", error=bug)])
    assert met == [None, no, None, bug]
    assert said(database) == {"a", "c"}
    assert database.write_each(run_all, [say("e", error=no)]) == [no]
    assert said(database) == {"a", "c"}


def test_none_counts_as_done_where_the_work_forgets_one(database: Database) -> None:
    def forget(connection: Connection, units: Sequence[Unit]) -> list[str]:
        return run_all(connection, units)[1:]

    met = database.write_each(forget, [say("a"), say("b")])
    assert [type(error) for error in met] == [ValueError] * 2
    assert said(database) == set()


def test_nothing_to_be_written_is_no_transaction(database: Database) -> None:
    begun = count(database.engine, "begin")
    assert database.write_each(run_all, []) == []
    assert begun == []


@contextmanager
def locked(stores: Stores) -> Iterator[None]:
    """Keep somebody else's lock for the length of the block, and let nobody wait for it for long."""
    engine = stores.database.engine
    keeper = open_engine(engine.url.render_as_string(hide_password=False))
    hurry = {"sqlite": "PRAGMA busy_timeout = 1", "postgresql": "SET lock_timeout = '20ms'"}

    def in_a_hurry(connection: Any, _record: object) -> None:
        connection.execute(hurry[engine.dialect.name])
        connection.commit()

    event.listen(engine, "connect", in_a_hurry)
    engine.dispose()
    with closing(keeper.connect()) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE requests IN ACCESS EXCLUSIVE MODE"))
        yield
    keeper.dispose()


def test_where_somebody_keeps_a_lock_each_hears_it_and_nothing_is_written(racing: Stores) -> None:
    requests = [a_request(name) for name in ("a", "b", "c")]
    with locked(racing):
        met = racing.inbox.put_all(requests)
    assert len(met) == 3
    assert all("lock" in str(error) for error in met)
    assert racing.inbox.open_requests("me", NOW) == []
    assert racing.inbox.put_all(requests) == [None] * 3


def test_many_requests_are_one_commit_and_a_bad_one_is_refused_alone(racing: Stores) -> None:
    commits = count(racing.database.engine, "commit")
    assert racing.inbox.put_all([a_request(f"r{number}") for number in range(100)]) == [None] * 100
    assert len(commits) == 1
    names = [f"s{number}" for number in range(9)]
    met = racing.inbox.put_all([a_request(name, HALF_OF_A_PAIR if name == "s4" else "") for name in names])
    assert [name for name, error in zip(names, met, strict=True) if error is not None] == ["s4"]
    assert [name for name in names if racing.inbox.get(name)] == [name for name in names if name != "s4"]


def test_a_server_that_is_away_is_asked_once_for_all() -> None:
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    asked: list[object] = []
    event.listen(engine, "do_connect", lambda *about: asked.append(about) or None)
    met = Database(engine).write_each(run_all, [say(word) for word in "abc"])
    assert [type(error) for error in met] == [ConfigError] * 3
    assert "does not answer" in str(met[0])
    assert len(asked) == 1


def test_a_server_that_goes_away_meanwhile_is_asked_once_more() -> None:
    begun: list[int] = []

    @contextmanager
    def transaction() -> Iterator[Connection]:
        begun.append(1)
        if len(begun) > 2:
            raise ConfigError("away")
        yield cast("Connection", None)  # the work does not look at it

    def work(_: Connection, items: Sequence[str]) -> Sequence[str]:
        if "bad" in items:
            raise InputError("no")
        return items

    met = do_each_apart(transaction, work, ["a", "b", "bad", "c"])
    assert [str(error) for error in met] == ["None", "away", "away", "away"]
    assert len(begun) == 3
