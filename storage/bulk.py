"""Many rows of one table at once, handed to the driver as they are: SQLAlchemy's own way costs as much as SQLite's work."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert
from sqlmodel import SQLModel


def insert_many(connection: Connection, table: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, each with a value for every column that the driver takes without conversion."""
    written = insert(table).compile(dialect=connection.dialect)
    names = getattr(written, "positiontup", None)
    values = [tuple(map(row.__getitem__, names)) for row in rows] if names else list(map(dict, rows))
    connection.exec_driver_sql(str(written), values)
