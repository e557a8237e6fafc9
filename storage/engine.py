"""How the database is opened: SQLite with settings that were measured, Postgres from the same models.

On SQLite a transaction that may write begins with `BEGIN IMMEDIATE`: it takes the write lock at once and waits
for it, where a deferred one fails on its first write if somebody else was faster, whatever the busy time-out.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import orjson
from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from audit.errors import ConfigError

BUSY_TIMEOUT_S = 30
CONNECT_TIMEOUT_S = 10  # of a server that does not answer at all: Postgres itself would wait for minutes
READ_ONLY = "countersign_read_only"
MAY_BE_LOST = "countersign_may_be_lost"
_SYNCHRONOUS = "countersign_synchronous"
_DIALECTS = ("sqlite", "postgresql")
_EXAMPLES = "sqlite:///countersign.db or postgresql://user@host/name"

# Connections to a file that are kept once they were needed: more than read at once, for those who click share theirs
# (`storage.together`). A new one has to read the whole schema before its first statement.
_KEPT_OPEN = 20

# FULL: with NORMAL a power cut may take the last commits, and the trail must not lose any.
# The busy time-out comes first, because the switch to WAL needs the lock as well.
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # A batch of a report being loaded (6 MB) fits into the cache, and is not copied out of the log at each commit.
    "PRAGMA cache_size = -8192",
    # Far beyond where the log is brought into the file outside of the turn (`Database.settle`): a commit that does so makes all wait.
    "PRAGMA wal_autocheckpoint = 16384",
    "PRAGMA foreign_keys = ON",
)


class _SqliteConnection(Protocol):
    isolation_level: str | None

    def execute(self, sql: str, /) -> object: ...


def open_engine(url: str) -> Engine:
    """Return an engine for a database address. A SQLite file is created where there is none, for its owner only.

    Raises:
        ConfigError: the address cannot be used, its driver is missing or its folder cannot be written to.
    """
    address = _parse(url)
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address)
    try:
        return create_engine(
            address.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT_S), **address.query}),
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"DATABASE_URL needs the Python package {error.name}, which is not installed"
        ) from None


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ConfigError(f"DATABASE_URL is no database address such as {_EXAMPLES}") from None
    if backend not in _DIALECTS:
        raise ConfigError(f"DATABASE_URL names {backend}, which is not supported: use {_EXAMPLES}")
    return address


def _open_sqlite(address: URL) -> Engine:
    in_memory = address.database in (None, "", ":memory:")
    if in_memory:
        # One connection for all threads: another one would see another, empty database.
        engine = create_engine(
            address,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
        )
    else:
        _create_for_owner_only(address)
        engine = create_engine(
            address,
            pool_size=_KEPT_OPEN,
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
        )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _create_for_owner_only(address: URL) -> None:
    """Create the file before SQLite does, which would follow the umask; its side files copy the mode.

    An existing file is never opened here: closing it would drop the locks this process holds on it (POSIX).
    """
    if address.database is None or address.database.startswith("file:"):
        return
    path = Path(address.database)
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError(f"DATABASE_URL: cannot create {path}: {error.strerror}") from None


def _set_up(connection: _SqliteConnection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 begins nothing by itself: `_begin` does
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(READ_ONLY, False):
        connection.exec_driver_sql("BEGIN")
        return
    level = "NORMAL" if options.get(MAY_BE_LOST, False) else "FULL"
    # Said anew unless the connection has it, so that nothing it was used for before can weaken a commit that must last.
    if connection.info.get(_SYNCHRONOUS) != level:
        connection.info.pop(_SYNCHRONOUS, None)
        connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
        connection.info[_SYNCHRONOUS] = level
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()
