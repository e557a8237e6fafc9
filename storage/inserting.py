"""Inserts that know what to do where a row is there already: each database has its own word for them."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

Insert = sqlite.Insert | postgresql.Insert
_INSERT: Mapping[str, Callable[..., Insert]] = MappingProxyType(
    {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
)


def insert_into(session: Session, table: type[SQLModel]) -> Insert:
    """Return the insert of the session's database into a table."""
    return _INSERT[session.connection().dialect.name](table)


def insert_new(connection: Connection, table: Table) -> Insert:
    """Return the insert into a table that leaves a row as it is where there is one."""
    return _insert_new(connection.dialect.name, table)


def insert_or_replace(connection: Connection, table: Table) -> Insert:
    """Return the insert into a table that replaces the row where there is one."""
    return _insert_or_replace(connection.dialect.name, table)


# Kept, because to build and compile a statement takes many times as long as to run it.
@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    return _INSERT[dialect](table).on_conflict_do_nothing()


@cache
def _insert_or_replace(dialect: str, table: Table) -> Insert:
    new = _INSERT[dialect](table)
    rest = {column.name: new.excluded[column.name] for column in table.c if not column.primary_key}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)
