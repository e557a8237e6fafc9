"""Anybody's CSV, once somebody has said which column is which field of a finding."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import FINDING_FIELDS, Finding
from audit.ingest.categories import category_of
from audit.ingest.clouds import place_of
from audit.ingest.csv_rows import Row, find_table, read_table
from audit.ingest.fields import derived_id, first_url, instant
from audit.ingest.frameworks import from_cell
from audit.ingest.model import Format, Item, no_stated_time
from audit.wording import nearest

NAME: Final = "CSV with mapped columns"
_NEEDED: Final = ("title", "severity")
_TRUE: Final = frozenset({"true", "yes", "1", "y", "x", "muted", "suppressed"})

ColumnMap = Mapping[str, str]
"""Fields of a finding by column."""


def parse_columns(pairs: Iterable[str]) -> ColumnMap:
    """Read `column=field` pairs.

    Raises:
        InputError: a pair without `=`, or a mapping that cannot be used.
    """
    columns: dict[str, str] = {}
    for pair in pairs:
        column, separator, name = pair.rpartition("=")
        if not separator or not column.strip():
            raise InputError(f"“{pair[:60]}” does not say column=field, such as Finding=title")
        columns[column.strip()] = name.strip()
    return check_columns(columns)


def check_columns(columns: ColumnMap) -> ColumnMap:
    """Return the mapping, once it is known to make findings.

    Raises:
        InputError: there is no such field, two columns make one field, or no column makes the title or the severity.
    """
    for name in columns.values():
        if name not in FINDING_FIELDS:
            near = nearest(name, FINDING_FIELDS)
            raise InputError(
                f"a finding has no field “{name[:40]}”; "
                + (f"did you mean {near}?" if near else f"it has {', '.join(FINDING_FIELDS)}")
            )
    fields = list(columns.values())
    if twice := next((name for name in fields if fields.count(name) > 1), None):
        raise InputError(f"two columns are mapped to {twice}")
    if missing := next((name for name in _NEEDED if name not in fields), None):
        raise InputError(f"no column is mapped to {missing}, and a finding needs one")
    return columns


def mapped_format(columns: ColumnMap) -> Format:
    """Return the format that a mapping describes: a CSV with all of its columns."""
    return Format(
        NAME,
        lambda head: find_table(head, columns) is not None,
        partial(_read, columns=columns),
        no_stated_time,
    )


def _read(stream: BinaryIO, *, columns: ColumnMap) -> Iterator[Item]:
    return read_table(stream, columns, partial(to_finding, columns=columns))


def to_finding(row: Row, *, columns: ColumnMap) -> Finding:
    """Read one row. Where no column is the id, it is made of what the finding is about.

    Raises:
        InputError: no title, or a severity that is none.
    """
    cells = {name: row[column.strip().casefold()] for column, name in columns.items()}
    place = place_of(cells.get("resource", ""))
    stood_in = {
        "id": _own_id(cells),
        "provider": place.provider,
        "account_id": place.account_id,
        "region": place.region,
        "service": place.service,
    }
    record: dict[str, object] = {**stood_in, **{name: cell for name, cell in cells.items() if cell}}
    record["muted"] = cells.get("muted", "").casefold() in _TRUE
    record["observed_at"] = instant(cells.get("observed_at"))
    record["compliance"] = from_cell(cells.get("compliance", ""))
    record["reference_url"] = first_url(cells.get("reference_url", ""))
    record.setdefault("category", category_of(cells.get("check_id", ""), str(record["service"])))
    return Finding.from_dict(record)


def _own_id(cells: Mapping[str, str]) -> str:
    about = (cells.get(name, "") for name in ("title", "resource", "account_id", "region"))
    return derived_id("row", cells.get("check_id") or "finding", *about)
