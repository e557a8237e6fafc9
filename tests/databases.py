"""Databases at this program's revision, for tests that are about something else: migrated once, copied from then on."""

import sqlite3
from functools import cache
from typing import Any

from sqlalchemy import Engine

from storage import Stores, open_engine, upgrade
from storage.database import Database


def stores_in_memory() -> Stores:
    """Return what `Stores.in_memory` does."""
    engine = open_engine("sqlite://")
    _copy_to(engine)
    return Stores.on(Database(engine))


def stores_at(url: str) -> Stores:
    """Bring a database to this program's revision, and open it."""
    migrate(url)
    return Stores.open(url)


def migrate(url: str) -> None:
    """Bring a database to this program's revision: a new SQLite file by copying."""
    engine = open_engine(url)
    if engine.dialect.name == "sqlite":
        _copy_to(engine)
    else:
        upgrade(engine)
    engine.dispose()


def _copy_to(engine: Engine) -> None:
    with engine.connect() as connection:
        database = _driver(connection.connection)
        assert not database.execute("SELECT 1 FROM sqlite_schema").fetchall(), "it would be overwritten"
        _template().backup(database)


@cache
def _template() -> sqlite3.Connection:
    engine = open_engine("sqlite://")
    upgrade(engine)
    return _driver(engine.raw_connection())


def _driver(connection: Any) -> sqlite3.Connection:
    driver: sqlite3.Connection = connection.driver_connection
    return driver
