"""One check of `countersign doctor`."""

from collections.abc import Callable
from dataclasses import dataclass

from audit.errors import ActionError, CountersignError


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is well, and what was found. `is_well` is None where it is not set up."""

    name: str
    is_well: bool | None
    found: str


def look(name: str, at: Callable[[], str]) -> Check:
    """Return a check: what was found, or what is wrong and what to do about it."""
    try:
        return Check(name, is_well=True, found=at())
    except ActionError as error:
        return Check(name, is_well=False, found=error.explain())
    except CountersignError as error:
        return Check(name, is_well=False, found=str(error))
