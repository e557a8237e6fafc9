"""Many rows in one statement of our own: what lies in the file afterwards is what the toolkit's own insert leaves there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from storage import Stores
from storage.inserting import _MOST_VALUES, insert_all_new
from storage.tables import RequestRow, table_of
from tests.databases import stores_at

_TABLE = table_of(RequestRow)
_SQLITE_LIMIT_VARIABLE_NUMBER = 9  # sqlite3.h; the module names it since Python 3.11 only on some builds
NUL = "comes after this"
TEXTS = (
    "",
    'it\'s "quoted" `so` [and so]',
    f"nothing {NUL} \0",
    "%s %(name)s :name ? ?1 $1 {} \\ \\0 \\x00",
    "\N{GRINNING FACE} \N{FAMILY}\N{ZERO WIDTH JOINER} e\N{COMBINING ACUTE ACCENT} \N{RIGHT-TO-LEFT OVERRIDE}",
    "\r\n\t\x1b\x7f\x85\u2028\ufeff\uffff",
    "'); DROP TABLE requests; --",
)
TIMES = (
    datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 9, 0, 0, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
    datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
PAYLOADS: tuple[dict[str, object] | None, ...] = (
    None,
    {},
    {"text": None, "list": [1, -1, 2**53, 1.5, 1e300, True, [], {"": ""}]},
    *({"text": text, text: text} for text in TEXTS),
)


def a_row(number: int = 0, **changes: object) -> dict[str, object]:
    return {
        "request_id": f"r{number}",
        "kind": "action",
        "actor": {"slack_id": f"U{number}"},
        "received_at": TIMES[0],
        "payload": {"number": number},
        "attempts": 0,
        **changes,
    }


def rows() -> list[dict[str, object]]:
    """Return a row for each thing that could come back another."""
    return [
        *(a_row(number, kind=text, actor={"email": text}) for number, text in enumerate(TEXTS)),
        *(a_row(100 + number, request_id=f"{text}!") for number, text in enumerate(TEXTS)),
        *(a_row(200 + number, received_at=at) for number, at in enumerate(TIMES)),
        *(a_row(300 + number, payload=payload) for number, payload in enumerate(PAYLOADS)),
    ]


def stored(stores: Stores) -> list[tuple[Any, ...]]:
    """Return all that lies in the table, byte for byte, and as what it lies there."""
    each = ", ".join(
        f"typeof({column.name}), hex({column.name}), {column.name} IS NULL" for column in _TABLE.c
    )
    wanted = f"SELECT {each} FROM requests ORDER BY request_id"  # noqa: S608 - names of ours
    with stores.database.engine.connect() as connection:
        found = connection.exec_driver_sql(wanted).all()
    return [tuple(row) for row in found]


def put(stores: Stores, new: Sequence[Mapping[str, object]]) -> None:
    with stores.database.engine.begin() as connection:
        insert_all_new(connection, _TABLE, new)


def test_what_is_stored_is_what_the_toolkit_stores(stores: Stores, tmp_path: Path) -> None:
    old = stores_at(f"sqlite:///{tmp_path}/old.db")
    with old.database.engine.begin() as connection:
        connection.execute(insert(_TABLE), rows())
    put(stores, rows())
    assert len(stored(old)) == len(rows())
    assert stored(stores) == stored(old)
    old.close()


def test_what_is_stored_comes_back(racing: Stores) -> None:
    put(racing, new := [row for row in rows() if NUL not in repr(row)])  # which Postgres cannot hold
    with racing.database.reading() as session:
        found = session.connection().execute(_TABLE.select()).mappings()
        by_id = {row["request_id"]: {name: row[name] for name in a_row()} for row in found}
    assert len(new) > 20
    assert by_id == {row["request_id"]: row for row in new}


def test_rows_that_are_there_stay_as_they_are(stores: Stores) -> None:
    put(stores, [a_row(1), a_row(2)])
    before = stored(stores)
    put(stores, [a_row(2, kind="view", payload=None), a_row(1, attempts=9), a_row(1, attempts=8)])
    assert stored(stores) == before
    put(stores, [a_row(1, attempts=9), a_row(3), a_row(3, attempts=9)])
    assert stored(stores)[:2] == before
    assert len(stored(stores)) == 3


def test_rows_may_name_their_columns_in_any_order(racing: Stores) -> None:
    put(racing, [a_row(1), dict(reversed(a_row(2).items()))])
    with racing.database.reading() as session:
        found = session.connection().execute(_TABLE.select().order_by(_TABLE.c.request_id)).mappings().all()
    assert [{name: row[name] for name in a_row()} for row in found] == [a_row(1), a_row(2)]


def test_more_rows_than_one_statement_takes(stores: Stores) -> None:
    statements: list[str] = []

    @event.listens_for(stores.database.engine, "begin")
    def limit(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.setlimit(_SQLITE_LIMIT_VARIABLE_NUMBER, _MOST_VALUES)  # whatever this library was built with

    @event.listens_for(stores.database.engine, "before_cursor_execute")
    def note(*about: Any) -> None:
        statements.append(about[2])

    count = 2 * (_MOST_VALUES // len(a_row())) + 1
    put(stores, [a_row(number) for number in range(count)])
    inserts = [each for each in statements if each.startswith("INSERT")]
    assert len(inserts) == 3
    with stores.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM requests").scalar_one() == count


def test_a_row_that_cannot_be_written_leaves_none(stores: Stores) -> None:
    for bad in ({"actor": {"email": "\ud83d"}}, {"kind": "\ud83d"}):
        with pytest.raises((TypeError, UnicodeEncodeError), match="surrogates"):
            put(stores, [a_row(1), a_row(2, **bad)])
    assert stored(stores) == []
