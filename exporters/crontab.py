"""The five fields of a crontab line, with weekdays as people mean them: 0 and 7 are Sunday, 1 is Monday.

Said here and not left to APScheduler, whose `CronTrigger.from_crontab` counts weekdays from Monday = 0: with it `0 9 * * 1` would
mean Tuesday.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from audit.errors import InputError
from exporters.text import clip, one_line

EXAMPLE = "0 9 * * 1-5"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_OF_A_WEEK = 7
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = 200
_PART = re.compile(
    r"(?P<first>\*|[a-z]{3}|[0-9]{1,2})(?:-(?P<last>[a-z]{3}|[0-9]{1,2}))?(?:/(?P<step>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: Mapping[str, int] = field(default_factory=dict)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field("weekday", 0, 7, {name: number % 7 for number, name in enumerate(WEEKDAYS, start=1)}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crontab:
    """What a crontab line allows. `weekdays` count from Monday = 0, as Python's `date.weekday` does.

    `either_day`: both kinds of day are restricted, so that a day needs to fit one of them only (crontab(5)).
    `has_fixed_hours`: the hours are named, so that a line means times on the wall and not a span of time.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    has_fixed_hours: bool

    def allows(self, day: date) -> bool:
        """Tell whether there is anything on a day."""
        if day.month not in self.months:
            return False
        by_number, by_weekday = day.day in self.days, day.weekday() in self.weekdays
        return (by_number or by_weekday) if self.either_day else (by_number and by_weekday)


def read_crontab(line: str) -> Crontab:
    """Read `minute hour day month weekday`, each a number, a name, a range, a list, a step or a star.

    Raises:
        InputError: it is none; says which field is wrong.
    """
    texts = line.lower().split() if len(line) <= _LONGEST else []
    if len(texts) != len(_FIELDS):
        raise InputError(
            f"“{_shown(line)}” is no crontab line: it has five fields, such as “{EXAMPLE}” "
            "(minute, hour, day of the month, month, weekday)"
        )
    minutes, hours, days, months, weekdays = map(_read_field, _FIELDS, texts)
    return Crontab(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset((number + _DAYS_OF_A_WEEK - 1) % _DAYS_OF_A_WEEK for number in weekdays),
        either_day=not (texts[2].startswith("*") or texts[4].startswith("*")),
        has_fixed_hours=not texts[1].startswith("*"),
    )


def _read_field(kind: _Field, text: str) -> frozenset[int]:
    return frozenset(number for part in text.split(",") for number in _read_part(kind, part))


def _read_part(kind: _Field, part: str) -> range:
    match = _PART.fullmatch(part)
    if match is None or (match["first"] == "*" and match["last"]):
        raise _refusal(kind, part)
    step = int(match["step"] or 1)
    if match["first"] == "*":
        first, last = kind.lowest, min(kind.highest, _top(kind))
    else:
        first = _number(kind, match["first"], part)
        stepped_to = kind.highest if match["step"] else first
        last = _number(kind, match["last"], part) if match["last"] else stepped_to
        if match["last"] == "sun" and kind.names:  # a week that people begin on Monday ends on Sunday
            last = kind.highest
    if step == 0 or first > last:
        raise _refusal(kind, part)
    return range(first, last + 1, step)


def _top(kind: _Field) -> int:
    """Return the last number a star stands for: Sunday counts once."""
    return _DAYS_OF_A_WEEK - 1 if kind.names and kind.lowest == 0 else kind.highest


def _number(kind: _Field, text: str, part: str) -> int:
    number = int(text) if text.isdigit() else kind.names.get(text, -1)
    if not kind.lowest <= number <= kind.highest:
        raise _refusal(kind, part)
    return number


def _refusal(kind: _Field, part: str) -> InputError:
    return InputError(
        f"“{_shown(part)}” is no {kind.name} of a crontab line: "
        f"those are {kind.lowest} to {kind.highest}, such as * or {kind.lowest}-{kind.highest}"
    )


def _shown(text: str) -> str:
    return clip(one_line(text), 60)
