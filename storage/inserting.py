"""Inserts that know what to do where a row is there already: each database has its own word for them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

_MOST_VALUES = 32_766  # SQLite's SQLITE_MAX_VARIABLE_NUMBER since 3.32
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


def insert_all_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows that all name the same columns, and leave those as they are that are there already.

    A column that is not named is left to the database: defaults of the tables' models are not looked at.

    On SQLite it is one statement: after each row of several, the thread would have to wait until it may run again, and a busy
    process lets it wait for milliseconds (`sys.getswitchinterval`).
    """
    if connection.dialect.name != "sqlite":
        connection.execute(insert_new(connection, table), list(rows))
        return
    names = tuple(rows[0])
    marks = f"({', '.join('?' * len(names))})"
    dialect = connection.dialect
    spell = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    for place in range(0, len(rows), most := _MOST_VALUES // len(names)):
        some = rows[place : place + most]
        values = tuple(
            each if to_text is None else to_text(each)
            for row in some
            for each, to_text in zip(map(row.__getitem__, names), spell, strict=True)
        )
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([marks] * len(some))} ON CONFLICT DO NOTHING",  # noqa: S608 - names of ours
            values,
        )


# Kept, because to build and compile a statement takes many times as long as to run it.
@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    return _INSERT[dialect](table).on_conflict_do_nothing()


@cache
def _insert_or_replace(dialect: str, table: Table) -> Insert:
    new = _INSERT[dialect](table)
    rest = {column.name: new.excluded[column.name] for column in table.c if not column.primary_key}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)
