"""Many rows of one table at once, handed to the driver as they are: SQLAlchemy's own way costs as much as SQLite's work."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection
from sqlmodel import SQLModel

_MOST_VALUES = 32_766
"""SQLite takes this many parameters in a statement (SQLITE_MAX_VARIABLE_NUMBER since 3.32)."""


def insert_many(
    connection: Connection,
    table: type[SQLModel],
    names: Sequence[str],
    values: Sequence[object],
    *,
    report_key: int,
) -> None:
    """Insert rows of a report.

    Args:
        connection: whose transaction they belong to.
        table: has a `report_key`.
        names: the other columns.
        values: of each row one after the other, as the driver takes them.
        report_key: the same for all of them.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    head = f"INSERT INTO {table.__tablename__} (report_key, {', '.join(names)}) VALUES "  # noqa: S608 - names of ours
    row = f"({int(report_key)}, {', '.join(['?' if is_sqlite else '%s'] * len(names))})"
    if not is_sqlite:
        connection.exec_driver_sql(head + row, list(_rows(values, len(names))))
        return
    # One statement for many rows: run row by row, SQLite costs a tenth more of all that reading a report does.
    most = _MOST_VALUES // len(names)
    for some in _rows(values, most * len(names)):
        connection.exec_driver_sql(head + ", ".join([row] * (len(some) // len(names))), some)


def _rows(values: Sequence[object], length: int) -> Iterator[tuple[object, ...]]:
    for place in range(0, len(values), length):
        yield tuple(values[place : place + length])
