import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import IntegrityError

from audit.errors import CountersignError, InputError
from storage import Database, open_engine
from storage.together import _Piece, _Ticket
from tests.fakes.gathering import PATIENCE_S, gathering
from tests.faults.dying import DIED, in_child

Unit = Callable[[Connection], str]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = open_engine(f"sqlite:///{tmp_path}/words.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT PRIMARY KEY)")
        connection.exec_driver_sql(
            "CREATE TABLE echoes (word REFERENCES words DEFERRABLE INITIALLY DEFERRED)"
        )
    yield Database(engine)
    engine.dispose()


def run_all(connection: Connection, units: Sequence[Unit]) -> list[str]:
    return [unit(connection) for unit in units]


def write(database: Database, unit: Unit) -> str:
    return database.write_together(run_all, unit)


def say(word: str, *, error: BaseException | None = None) -> Unit:
    """Return a unit that writes a word, and then raises an error where there is one."""

    def unit(connection: Connection) -> str:
        connection.exec_driver_sql("INSERT INTO words VALUES (?)", (word,))
        if error is not None:
            raise error
        return word.upper()

    return unit


def echo(word: str) -> Unit:
    """Return a unit that SQLite lets pass, and whose transaction it then refuses to commit unless somebody says the word."""

    def unit(connection: Connection) -> str:
        connection.exec_driver_sql("INSERT INTO echoes VALUES (?)", (word,))
        return word

    return unit


def said(database: Database) -> list[str]:
    with database.reading() as session:
        words = session.connection().exec_driver_sql("SELECT word FROM words ORDER BY rowid")
        return list(words.scalars())


def gathered(database: Database, units: Sequence[Unit]) -> list[Future[str]]:
    with gathering(database) as bring:
        return [bring(database.write_together, run_all, unit) for unit in units]


def errors(brought: Sequence[Future[str]]) -> list[BaseException | None]:
    return [each.exception(PATIENCE_S) for each in brought]


def count_commits(database: Database) -> list[Connection]:
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    return commits


def test_what_gathers_shares_a_commit_in_the_order_it_came(database: Database) -> None:
    commits = count_commits(database)
    words = [f"w{number}" for number in range(20)]
    brought = gathered(database, [say(word) for word in words])
    assert [each.result(PATIENCE_S) for each in brought] == [word.upper() for word in words]
    assert said(database) == words
    assert len(commits) - 1 == 1  # less that of our reading


def test_items_of_one_work_are_handed_to_it_together(database: Database) -> None:
    seen: list[tuple[str, list[int]]] = []

    def double(_: Connection, numbers: Sequence[int]) -> list[int]:
        seen.append(("double", list(numbers)))
        return [2 * number for number in numbers]

    def negate(_: Connection, numbers: Sequence[int]) -> list[int]:
        seen.append(("negate", list(numbers)))
        return [-number for number in numbers]

    commits = count_commits(database)
    with gathering(database) as bring:
        brought = [
            bring(database.write_together, work, number)
            for number, work in enumerate((double, negate, double, negate, double))
        ]
    assert [each.result(PATIENCE_S) for each in brought] == [0, -1, 4, -3, 8]
    assert seen == [("double", [0, 2, 4]), ("negate", [1, 3])]
    assert len(commits) == 1


def test_work_that_forgets_an_item_is_told_to_nobody_as_done(database: Database) -> None:
    def forget(connection: Connection, units: Sequence[Unit]) -> list[str]:
        return run_all(connection, units)[1:]

    with gathering(database) as bring:
        brought = [bring(database.write_together, forget, say(word)) for word in ("a", "b")]
    assert [type(error) for error in errors(brought)] == [ValueError] * 2
    assert said(database) == []


def test_one_alone_is_committed_at_once(database: Database) -> None:
    assert [write(database, say(word)) for word in ("a", "b")] == ["A", "B"]
    assert said(database) == ["a", "b"]


def test_one_that_fails_is_undone_and_spoils_nobody_elses(database: Database) -> None:
    units = [say("a"), say("b", error=InputError("no")), say("a"), say("c", error=KeyError("bug")), say("d")]
    met = errors(gathered(database, units))
    assert [type(error) for error in met] == [type(None), InputError, IntegrityError, KeyError, type(None)]
    assert said(database) == ["a", "d"]


def test_a_commit_that_fails_is_told_to_everybody(database: Database) -> None:
    met = errors(gathered(database, [say("a"), echo("nobody says this"), say("b")]))
    assert [type(error) for error in met] == [IntegrityError] * 3
    assert said(database) == []
    assert write(database, say("c")) == "C"


def test_nobody_is_told_before_the_commit(database: Database) -> None:
    at_commit: list[bool] = []
    with gathering(database) as bring:
        brought = [bring(database.write_together, run_all, say(word)) for word in ("a", "b", "c")]
        event.listen(
            database.engine, "commit", lambda _: at_commit.append(any(each.done() for each in brought))
        )
    assert errors(brought) == [None] * 3
    assert at_commit == [False]


def test_a_full_disk_in_the_middle_loses_all_and_says_so_to_all(database: Database) -> None:
    @event.listens_for(database.engine, "begin")
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    met = errors(gathered(database, [say("a"), say("much " * 10_000), say("b")]))
    assert [str(error) for error in met] == [
        "the disk that holds the database is full: free some space; nothing was changed"
    ] * 3
    assert said(database) == []


def test_a_lock_that_somebody_else_keeps_is_told_to_all_who_wait(database: Database) -> None:
    @event.listens_for(database.engine, "connect")
    def hurry(connection: object, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 1")  # type: ignore[attr-defined]

    database.engine.dispose()
    other = open_engine(str(database.engine.url))
    with closing(other.connect()) as keeper, keeper.begin():
        met = errors(gathered(database, [say("a"), say("b")]))
    assert all(isinstance(error, CountersignError) and "is locked" in str(error) for error in met)
    other.dispose()
    assert write(database, say("c")) == "C"
    assert said(database) == ["c"]


def test_who_is_interrupted_while_leading_loses_nobody_elses(database: Database) -> None:
    met = errors(gathered(database, [say("a", error=SystemExit()), say("b"), say("c")]))
    assert [type(error) for error in met] == [SystemExit, type(None), type(None)]
    assert said(database) == ["b", "c"]


class Interrupted(BaseException):
    """What a signal does to the thread that waits."""


@contextmanager
def interrupted_when(is_time: Callable[[], bool]) -> Iterator[None]:
    """Interrupt this thread, by a signal, as soon as it is time."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise Interrupted

    def watch() -> None:
        pause = threading.Event()
        while not is_time():
            pause.wait(0.001)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(Interrupted):
            yield
    finally:
        watcher.join()
        signal.signal(signal.SIGUSR1, before)


def test_who_is_interrupted_while_waiting_keeps_nobody_waiting(database: Database) -> None:
    has_begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> str:
        has_begun.set()
        assert go_on.wait(PATIENCE_S)
        return say("a")(connection)

    threads = [
        threading.Thread(target=write, args=(database, unit), daemon=True) for unit in (slow, say("c"))
    ]
    threads[0].start()
    assert has_begun.wait(PATIENCE_S)
    with interrupted_when(lambda: len(database._writes._gathered) > 1):
        write(database, say("b"))
    go_on.set()
    threads[0].join(PATIENCE_S)
    threads[1].start()
    threads[1].join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    assert said(database) == ["a", "c"]


def test_an_heir_that_is_interrupted_hands_on(database: Database) -> None:
    together = database._writes
    leader, heir, third = (_Ticket([_Piece(run_all, say(word))]) for word in "abc")
    assert [together._join(ticket) for ticket in (leader, heir, third)] == [True, False, False]
    together._withdraw(leader)  # as if each had been interrupted before it could lead
    assert (heir.leads, third.leads) == (True, False)
    together._withdraw(heir)
    assert third.leads
    assert third.gate.acquire(blocking=False)
    together._withdraw(third)
    assert write(database, say("d")) == "D"


def test_writing_while_writing_is_refused(database: Database) -> None:
    def outer(connection: Connection) -> str:
        say("outer")(connection)
        return write(database, say("inner"))

    (refused,) = gathered(database, [outer])
    with pytest.raises(RuntimeError, match="cannot wait for another"):
        refused.result(PATIENCE_S)
    with database.writing(), pytest.raises(RuntimeError, match="cannot wait for another"):
        write(database, say("inner"))
    with database.writing(), pytest.raises(RuntimeError, match="cannot wait for another"):
        database.read_together(run_all, say("inner"))
    assert write(database, say("after")) == "AFTER"
    assert said(database) == ["after"]


def test_many_threads_lose_nothing(database: Database) -> None:
    words = [f"w{number}" for number in range(500)]

    def bring(number: int) -> str:
        try:
            return write(database, say(words[number], error=InputError("no") if number % 7 == 0 else None))
        except InputError:
            return ""

    with ThreadPoolExecutor(50) as pool:
        kept = [word.lower() for word in pool.map(bring, range(500)) if word]
    assert kept == [word for number, word in enumerate(words) if number % 7]
    assert sorted(said(database)) == sorted(kept)


def test_killed_before_the_commit_all_is_lost_together(database: Database) -> None:
    def die(connection: Connection) -> str:
        say("b")(connection)
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    database.engine.dispose()  # no connection may be taken along into the child
    assert in_child(lambda: errors(gathered(database, [say("a"), die, say("c")])) and None) == DIED
    assert said(database) == []
    assert write(database, say("after")) == "AFTER"


def write_each(database: Database, units: Sequence[Unit]) -> list[type]:
    return [type(error) for error in database.write_each(run_all, units)]


def test_several_share_a_commit_and_one_that_fails_spoils_none_of_the_others(database: Database) -> None:
    units = [say("a"), say("b", error=InputError("no")), say("a"), say("c", error=KeyError("bug")), say("d")]
    commits = count_commits(database)
    assert write_each(database, units) == [type(None), InputError, IntegrityError, KeyError, type(None)]
    assert len(commits) == 1
    assert said(database) == ["a", "d"]


def test_several_of_one_thread_are_led_with_those_of_others(database: Database) -> None:
    commits = count_commits(database)
    with gathering(database) as bring:
        several = bring(database.write_each, run_all, [say("a"), say("b", error=InputError("no")), say("c")])
        alone = bring(database.write_together, run_all, say("d"))
        others = bring(database.write_each, run_all, [say("a"), say("e")])
    assert [type(error) for error in several.result(PATIENCE_S)] == [type(None), InputError, type(None)]
    assert alone.result(PATIENCE_S) == "D"
    assert [type(error) for error in others.result(PATIENCE_S)] == [IntegrityError, type(None)]
    assert said(database) == ["a", "c", "d", "e"]
    assert len(commits) - 1 == 1  # less that of our reading


def test_who_brings_several_may_have_to_lead_them_and_others(database: Database) -> None:
    commits = count_commits(database)
    with gathering(database) as bring:
        leader = bring(database.write_together, run_all, say("z", error=SystemExit()))
        heir = bring(database.write_each, run_all, [say("a"), say("b", error=InputError("no")), say("c")])
        third = bring(database.write_together, run_all, say("d"))
    assert type(leader.exception(PATIENCE_S)) is SystemExit
    assert [type(error) for error in heir.result(PATIENCE_S)] == [type(None), InputError, type(None)]
    assert third.result(PATIENCE_S) == "D"
    assert said(database) == ["a", "c", "d"]
    assert len(commits) - 1 == 1


def test_who_is_interrupted_with_several_loses_nobody_elses(database: Database) -> None:
    with gathering(database) as bring:
        leader = bring(database.write_each, run_all, [say("a"), say("b", error=SystemExit()), say("c")])
        heir = bring(database.write_each, run_all, [say("d"), say("e")])
    assert type(leader.exception(PATIENCE_S)) is SystemExit
    assert heir.result(PATIENCE_S) == [None, None]
    assert said(database) == ["d", "e"]


def test_of_several_each_hears_that_the_commit_failed(database: Database) -> None:
    units = [say("a"), say("b", error=InputError("no")), echo("nobody says this")]
    assert write_each(database, units) == [IntegrityError] * 3
    assert said(database) == []


def test_of_several_each_hears_that_the_disk_is_full(database: Database) -> None:
    @event.listens_for(database.engine, "begin")
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    met = database.write_each(run_all, [say("a"), say("much " * 10_000), say("b")])
    assert [str(error) for error in met] == [
        "the disk that holds the database is full: free some space; nothing was changed"
    ] * 3
    assert said(database) == []


def test_several_are_not_written_while_writing(database: Database) -> None:
    for units in ([say("inner"), say("other")], []):
        with database.writing(), pytest.raises(RuntimeError, match="cannot wait for another"):
            database.write_each(run_all, units)
    assert write(database, say("after")) == "AFTER"
    assert said(database) == ["after"]


def test_nothing_to_be_written_is_no_transaction(database: Database) -> None:
    begun = []
    event.listen(database.engine, "begin", begun.append)
    assert database.write_each(run_all, []) == []
    assert begun == []


def test_of_several_none_counts_as_done_where_the_work_forgets_one(database: Database) -> None:
    def forget(connection: Connection, units: Sequence[Unit]) -> list[str]:
        return run_all(connection, units)[1:]

    met = database.write_each(forget, [say("a"), say("b")])
    assert [type(error) for error in met] == [ValueError] * 2
    assert said(database) == []


def test_many_threads_with_several_each_lose_nothing(database: Database) -> None:
    words = [[f"w{number}-{each}" for each in range(number % 4)] for number in range(100)]

    def bring(mine: list[str]) -> list[bool]:
        units = [say(word, error=InputError("no") if word.endswith("-1") else None) for word in mine]
        return [error is None for error in database.write_each(run_all, units)]

    with ThreadPoolExecutor(20) as pool:
        kept = list(pool.map(bring, words))
    wanted = [word for mine in words for word in mine if not word.endswith("-1")]
    assert kept == [[not word.endswith("-1") for word in mine] for mine in words]
    assert sorted(said(database)) == sorted(wanted)
