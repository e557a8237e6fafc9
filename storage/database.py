"""A database as the repositories use it: short reads, and writes one at a time."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from typing import cast

from sqlalchemy import Connection, Engine, StaticPool, text
from sqlmodel import Session

from storage.engine import MAY_BE_LOST, READ_ONLY
from storage.log import bring_in, make_room
from storage.together import Item, Result, Together, Work, do_each_apart
from storage.turns import Turns
from storage.wording import in_words

_LONG_LOG_COMMITS = 200  # of some pages each: a few megabytes of log
_WRITE_LOCK_ID = 0x436F756E  # Postgres: any number that nothing else in this database locks by

# An execution is read with several statements. SQLite shows all of them one state, Postgres only if told to.
_ONE_MOMENT = {"postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}}


class Database:
    """An engine and this process's turn-taking.

    SQLite lets waiting writers poll, so that an unlucky one starves among many. Threads of one process therefore
    queue for a lock of ours first. A database in memory has one connection, which readers must queue for as well.
    No transaction may stay open while callers do something else.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._readers = engine.execution_options(
            **{READ_ONLY: True}, **_ONE_MOMENT.get(engine.dialect.name, {})
        )
        self._loaders = engine.execution_options(**{MAY_BE_LOST: True})
        self._turns = Turns() if engine.dialect.name == "sqlite" else None
        self._readers_queue = isinstance(engine.pool, StaticPool)
        self._reads, self._writes = Together(self._begin_reading), Together(self._begin_writing)
        self._commits = 0

    def read_together(self, work: Work[Item, Result], item: Item) -> Result:
        """Return what work finds for an item, as it is at this moment or later; see `write_together`."""
        return self._do(work, item, together=self._reads, alone=self._begin_reading)

    def write_together(self, work: Work[Item, Result], item: Item) -> Result:
        """Return what work returns for an item, once all of it is committed; by its error nothing of it is written.

        On SQLite, what comes at the same time shares a transaction, and goes before sessions that wait: people wait for it.
        On Postgres, where that would lock rows in any order and so block each other for good, each has a transaction of its own.

        Raises:
            CountersignError: the database is locked, full, unwritable or not migrated.
            RuntimeError: this thread is writing already; it would wait for itself.
        """
        return self._do(work, item, together=self._writes, alone=self._begin_writing)

    def write_each(self, work: Work[Item, Result], items: Sequence[Item]) -> list[Exception | None]:
        """Do work for several items in one commit; return, in their order, what kept each from being done. The others are.

        On Postgres the work has to touch the items' rows in one order, whichever items come: see `write_together`.

        Raises:
            RuntimeError: this thread is writing already.
        """
        self._refuse_inside_transaction()
        if not items:
            return []
        if self._turns is not None:
            return self._writes.do_each(work, items)
        return do_each_apart(self._begin_writing, work, items)

    def _do(
        self,
        work: Work[Item, Result],
        item: Item,
        *,
        together: Together,
        alone: Callable[[], AbstractContextManager[Connection]],
    ) -> Result:
        if self._turns is None:
            with alone() as connection:
                (result,) = work(connection, [item])
            return result
        self._refuse_inside_transaction()
        return together.do(work, item)

    def _refuse_inside_transaction(self) -> None:
        if self._turns is not None and self._turns.is_mine:
            raise RuntimeError("a thread whose transaction is open cannot wait for another one")

    @contextmanager
    def _begin_reading(self) -> Iterator[Connection]:
        with in_words(), self._reading_turn(), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def _begin_writing(self) -> Iterator[Connection]:
        with in_words(), self._writing_turn(urgent=True), self.engine.begin() as connection:
            self._commits += 1
            yield connection

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that sees one moment and cannot block a writer."""
        return _session(self._readers, self._reading_turn())

    def writing(self) -> AbstractContextManager[Session]:
        """Open a session that commits at its end, or does nothing at all if an error leaves it.

        Raises:
            CountersignError: the database is locked, full, unwritable or not migrated.
        """
        return _session(self.engine, self._writing_turn(urgent=False))

    def _reading_turn(self) -> AbstractContextManager[object]:
        return self._turns.taken() if self._turns and self._readers_queue else nullcontext()

    def _writing_turn(self, *, urgent: bool) -> AbstractContextManager[object]:
        return self._turns.taken(urgent=urgent) if self._turns else nullcontext()

    def loading(self) -> AbstractContextManager[Session]:
        """Open a session as `writing` does, for rows that count for nothing yet: SQLite does not wait for the disk.

        A power cut may take its commit, but not once a later one has returned that does wait: they lie behind each other in one log.

        Raises:
            CountersignError: the database is locked, full, unwritable or not migrated.
        """
        return _session(self._loaders, self._turns.taken() if self._turns else nullcontext())

    def settle(self) -> None:
        """Bring what SQLite's log holds into the file, to be asked after a transaction that wrote much; others may write meanwhile.

        Otherwise the commit that makes the log too long does so while it has its turn, and everybody waits for the disk.
        """
        self._commits = 0
        if self._turns is None or self._readers_queue:  # no such log
            return
        connection = self.engine.raw_connection()
        with closing(connection), suppress(sqlite3.Error):  # that it cannot is for the next commit to tell
            bring_in(cast("sqlite3.Connection", connection.driver_connection))

    def make_room(self) -> None:
        """Make SQLite's log as long as it gets, for who will commit often: a commit that lengthens it takes several times as long."""
        if self._turns is None or self._readers_queue:  # no such log
            return
        connection = self.engine.raw_connection()
        with closing(connection), self._turns.taken(), suppress(sqlite3.Error, OSError):  # as above
            make_room(cast("sqlite3.Connection", connection.driver_connection))

    @property
    def has_long_log(self) -> bool:
        """Tell whether much was committed here by people's clicks since `settle`."""
        return self._commits > _LONG_LOG_COMMITS


@contextmanager
def _session(engine: Engine, turn: AbstractContextManager[object]) -> Iterator[Session]:
    with in_words(), turn, Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()  # begins now, and so takes the lock before the caller reads anything
        yield session


def hold_write_lock(connection: Connection) -> None:
    """Make other writers wait until this transaction ends. On SQLite `BEGIN IMMEDIATE` has done so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _WRITE_LOCK_ID})
