"""The columns a findings table can have: how each is headed and how its cell is made."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

import orjson

from audit.errors import InputError
from audit.findings import FINDING_FIELDS, FindingDict
from exporters.csv_cells import CsvStyle
from exporters.fragments import Fragments
from exporters.json_document import to_json

SPECIFIED = ("id", "title", "severity", "category", "resource", "description", "remediation", "status")
TRACKED = ("assigned_to", "due_date", "notes")
FIELDS = (*SPECIFIED, "handle", *(name for name in FINDING_FIELDS if name not in SPECIFIED), *TRACKED)
_UNREPEATED = frozenset({"handle", "id", "resource", "evidence", "observed_at"})
_ABBREVIATIONS = {"id": "ID", "url": "URL"}

Cell = Callable[[FindingDict], bytes]


@dataclass(frozen=True, slots=True)
class Column:
    """A head and what fills the cells below it."""

    head: str
    cell: Cell


def fields_named(names: Iterable[str] | None) -> tuple[str, ...]:
    """Return the fields meant by `include_fields`, in its order; heads such as `Assigned_To` count as their fields.

    Raises:
        InputError: no such field; names the nearest.
    """
    if names is None:
        return SPECIFIED
    if isinstance(names, str):
        raise InputError("include_fields must be a list of field names")
    fields = tuple(map(_field, names))
    if not fields:
        raise InputError("include_fields names no field")
    return fields


def _field(name: str) -> str:
    field = str(name).strip().lower().replace(" ", "_")
    if field not in FIELDS:
        near = get_close_matches(field, FIELDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"“{str(name)[:40]}” is not a field of a finding{hint} ({', '.join(FIELDS)})")
    return field


def head_of(field: str) -> str:
    """Return the specification's head for a field: `id` → `ID`, `assigned_to` → `Assigned_To`."""
    return "_".join(_ABBREVIATIONS.get(part, part.capitalize()) for part in field.split("_"))


def columns_of(fields: Iterable[str], style: CsvStyle) -> list[Column]:
    """Return the columns; texts that repeat from finding to finding are rendered once."""
    write = style.cell_writer()
    repeated = Fragments[str](write)
    return [Column(head_of(field), _cell(field, write, repeated)) for field in fields]


def _cell(field: str, write: Callable[[str], bytes], repeated: Fragments[str]) -> Cell:
    if field in TRACKED or field == "muted":
        return lambda record: write(_plain(record.get(field)))
    if field == "compliance":
        return _compliance_cell(write)
    if field == "status":
        return _status_cell(repeated.__getitem__)
    if field in SPECIFIED:
        return _required_cell(field, write if field in _UNREPEATED else repeated.__getitem__)
    return _optional_cell(field, write if field in _UNREPEATED else repeated.__getitem__)


def _required_cell(field: str, write: Callable[[str], bytes]) -> Cell:
    return lambda record: write(record[field])  # type: ignore[literal-required]


def _status_cell(write: Callable[[str], bytes]) -> Cell:
    """Say MUTED where somebody decided not to count a finding: a sheet that says FAIL counts more than the report does."""
    return lambda record: write("MUTED" if record.get("muted") else record["status"])


def _optional_cell(field: str, write: Callable[[str], bytes]) -> Cell:
    return lambda record: write(cast("str", record.get(field, "")))


def _compliance_cell(write: Callable[[str], bytes]) -> Cell:
    """Cache by the mapping's JSON: to write that costs less than to join the controls of twenty frameworks."""
    fragments = Fragments[bytes](lambda mapping: write(_compliance_text(orjson.loads(mapping))))
    return lambda record: fragments[to_json(record.get("compliance", {}))]


def _compliance_text(compliance: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{name}: {', '.join(controls)}" for name, controls in compliance.items())


def _plain(value: object) -> str:
    if value is None or value is False:
        return ""
    return "true" if value is True else str(value)
