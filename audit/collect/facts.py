"""What was read of a resource: plain names and values, the same from a live account and from a program's own data.

A name that is missing was not looked at, and nothing is said about it. A value that could not be read is `Unread`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.errors import InputError
from audit.finding_fields import read_instant

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that could not be read: why, and the permission that reading it takes."""

    reason: str
    permission: str

    def __str__(self) -> str:
        return f"Nobody knows: {self.reason} Reading this takes {self.permission}."


def flag(facts: Facts, name: str) -> bool:
    """Return a yes or no; what is not there is a no.

    Raises:
        InputError: it is something else.
    """
    value = facts.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InputError(f"{name} must be true or false")


def number(facts: Facts, name: str) -> int:
    """Return a number; 0 where there is none.

    Raises:
        InputError: it is something else.
    """
    value = facts.get(name)
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise InputError(f"{name} must be a whole number")


def words(facts: Facts, name: str) -> str:
    """Return a text, empty where there is none.

    Raises:
        InputError: it is something else.
    """
    value = facts.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    raise InputError(f"{name} must be a text")


def moment(facts: Facts, name: str) -> datetime | None:
    """Return a time, aware UTC; None where there is none.

    Raises:
        InputError: it is something else.
    """
    try:
        return read_instant(facts.get(name))
    except InputError:
        raise InputError(f"{name} must be an ISO 8601 time") from None


def parts(facts: Facts, name: str) -> list[Facts]:
    """Return a list of facts about parts, empty where there is none.

    Raises:
        InputError: it is something else.
    """
    value = facts.get(name)
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
        found = list(value)
        if all(isinstance(part, Mapping) for part in found):
            return found
    raise InputError(f"{name} must be a list of objects")


def part(facts: Facts, name: str) -> Facts | None:
    """Return the facts about one part; None where there is none.

    Raises:
        InputError: it is something else.
    """
    value = facts.get(name)
    if value is None or isinstance(value, Mapping):
        return value
    raise InputError(f"{name} must be an object")
