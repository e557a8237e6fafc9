"""Many rows of one table at once, handed to the driver as they are: SQLAlchemy's own way costs as much as SQLite's work."""

from collections.abc import Mapping, Sequence
from itertools import chain, islice

from sqlalchemy import Connection, insert
from sqlmodel import SQLModel

_MOST_VALUES = 32_766
"""SQLite takes this many parameters in a statement (SQLITE_MAX_VARIABLE_NUMBER since 3.32)."""


def insert_many(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, each with a value for every column that the driver takes without conversion."""
    written = insert(table).compile(dialect=connection.dialect)
    names = getattr(written, "positiontup", None)
    if not names:
        connection.exec_driver_sql(str(written), list(map(dict, rows)))
        return
    # One statement for many rows: run row by row, SQLite costs a tenth more of all that reading a report does.
    head, _, row = str(written).partition(" VALUES ")
    values = (tuple(map(entry.__getitem__, names)) for entry in rows)
    while some := list(islice(values, _MOST_VALUES // len(names))):
        statement = f"{head} VALUES {', '.join([row] * len(some))}"
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))
