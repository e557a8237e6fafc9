"""Small checkers for JSON shapes, combined like words; each yields what is wrong and where.

Slack describes a rejected block as a reason and a JSON pointer. These checkers do the same, so that
`blockkit.py` can be read as a table and not as a program.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One broken rule: `pointer` (RFC 6901), `reason`, and the error `code` Slack answers with."""

    pointer: str
    reason: str
    code: str = "invalid_blocks"

    def __str__(self) -> str:
        return f"[ERROR] {self.reason} [json-pointer:{self.pointer}]"


Check: TypeAlias = Callable[[object, str], Iterator[Problem]]


def string(longest: int, *, shortest: int = 1, pattern: str = "") -> Check:
    """A string of `shortest` to `longest` characters that matches `pattern` (a regular expression) in full."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "must be a string")
        elif len(value) > longest:
            yield Problem(at, f"must be less than {longest + 1} characters")
        elif len(value) < shortest:
            yield Problem(at, f"must be more than {shortest - 1} characters")
        elif pattern and not re.fullmatch(pattern, value):
            yield Problem(at, f"must match {pattern}")

    return check


def integer(low: int, high: int) -> Check:
    """A whole number from `low` to `high`, both allowed."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(at, "must be an integer")
        elif not low <= value <= high:
            yield Problem(at, f"must be between {low} and {high}")

    return check


def number(value: object, at: str) -> Iterator[Problem]:
    """Check for any JSON number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield Problem(at, "must be a number")


def boolean(value: object, at: str) -> Iterator[Problem]:
    """Check for true or false."""
    if not isinstance(value, bool):
        yield Problem(at, "must be a boolean")


def one_of(*choices: str) -> Check:
    """One of the given words."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if value not in choices:
            yield Problem(at, f"must be one of {', '.join(choices)}")

    return check


def array(item: Check, low: int, high: int) -> Check:
    """A list of `low` to `high` items, each of which passes `item`."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(at, "must be an array")
            return
        if len(value) > high:
            yield Problem(at, f"no more than {high} items allowed")
        if len(value) < low:
            yield Problem(at, f"no fewer than {low} items allowed")
        for index, entry in enumerate(value):
            yield from item(entry, f"{at}/{index}")

    return check


def obj(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with the `required` keys, perhaps the `optional` ones, and no others."""
    known = {**(optional or {}), **required}

    def check(value: object, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(at, "must be an object")
            return
        for key in required:
            if key not in value:
                yield Problem(at, f"missing required field: {key}")
        for key, entry in value.items():
            if key in known:
                yield from known[key](entry, f"{at}/{key}")
            else:
                yield Problem(f"{at}/{key}", f"unsupported field: {key}")

    return check


def tagged(table: Mapping[str, Check]) -> Check:
    """An object whose `type` names a row of `table`; that row's checker decides."""

    def check(value: object, at: str) -> Iterator[Problem]:
        kind = str(value.get("type")) if isinstance(value, dict) else ""
        if kind in table:
            yield from table[kind](value, at)
        else:
            yield Problem(f"{at}/type", f"unsupported type: {kind}; one of {', '.join(table)}")

    return check


def both(*checks: Check) -> Check:
    """Every one of the given checks."""

    def check(value: object, at: str) -> Iterator[Problem]:
        for each in checks:
            yield from each(value, at)

    return check


def exactly_one(*keys: str) -> Check:
    """An object that has exactly one of the given keys."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if isinstance(value, dict) and sum(key in value for key in keys) != 1:
            yield Problem(at, f"must have exactly one of {', '.join(keys)}")

    return check


def any_of(*keys: str) -> Check:
    """An object that has at least one of the given keys."""

    def check(value: object, at: str) -> Iterator[Problem]:
        if isinstance(value, dict) and not any(key in value for key in keys):
            yield Problem(at, f"must have at least one of {', '.join(keys)}")

    return check
