"""A database as the repositories use it: short reads, and writes one at a time."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine, StaticPool, text
from sqlmodel import Session

from storage.engine import MAY_BE_LOST, READ_ONLY
from storage.turns import Turns
from storage.wording import in_words

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

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that sees one moment and cannot block a writer."""
        turn = self._turns.taken() if self._turns and self._readers_queue else nullcontext()
        return _session(self._readers, turn)

    def writing(self, *, urgent: bool = False) -> AbstractContextManager[Session]:
        """Open a session that commits at its end, or does nothing at all if an error leaves it.

        An `urgent` one goes before the others that wait: a person waits for it.

        Raises:
            CountersignError: the database is locked, full, unwritable or not migrated.
        """
        return _session(self.engine, self._turns.taken(urgent=urgent) if self._turns else nullcontext())

    def loading(self) -> AbstractContextManager[Session]:
        """Open a session as `writing` does, for rows that count for nothing yet: SQLite does not wait for the disk.

        A power cut may take its commit, but not once a later one has returned that does wait: they lie behind each other in one log.

        Raises:
            CountersignError: the database is locked, full, unwritable or not migrated.
        """
        return _session(self._loaders, self._turns.taken() if self._turns else nullcontext())


@contextmanager
def _session(engine: Engine, turn: AbstractContextManager[object]) -> Iterator[Session]:
    with in_words(), turn, Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()  # begins now, and so takes the lock before the caller reads anything
        yield session


def hold_write_lock(connection: Connection) -> None:
    """Make other writers wait until this transaction ends. On SQLite `BEGIN IMMEDIATE` has done so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _WRITE_LOCK_ID})
