"""When a schedule is due: wall times in a time zone, right across the changes of daylight-saving time.

A time at a named hour is due once a day whatever the clocks do: in the autumn hour that comes twice, the first time; in the spring
hour that is left out, as much later as the clocks were put forward (02:30 becomes 03:30). A line whose hour is `*` means every so
many minutes, and goes by real time: nothing is left out or put together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from audit.errors import InputError
from audit.wording import nearest
from exporters.crontab import WEEKDAYS, Crontab, read_crontab
from exporters.text import clip, one_line

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SEARCHED_DAYS = 366 * 9  # 29 February is at most eight years away
_LAST_HOUR = 23
_LAST_MINUTE = 59
_USUAL_ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
)
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One time a schedule is due: the instant (aware UTC), and a key that is the same whoever works it out.

    The key is the wall time where hours are named (`2026-10-25T02:30`), so that an hour that comes twice is one slot; else the
    instant.
    """

    at: datetime
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often: a crontab line in a time zone.

    Raises:
        InputError: the line or the zone cannot be used, or there is no such day in any year.
    """

    cron: str
    zone: str = "UTC"
    _crontab: Crontab = field(init=False, repr=False, compare=False)
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cron", " ".join(self.cron.split()))
        object.__setattr__(self, "_crontab", read_crontab(self.cron))
        object.__setattr__(self, "_zone", zone_named(self.zone))
        object.__setattr__(self, "zone", self._zone.key)
        if not any(map(self._crontab.allows, _days_from(date(2096, 1, 1)))):
            raise InputError(f"“{self.cron}” is never due: there is no such day")

    @classmethod
    def daily(cls, hour: int, minute: int = 0, *, zone: str = "UTC") -> Self:
        """Return every day at a wall time.

        Raises:
            InputError: there is no such time or zone.
        """
        _check_time(hour, minute)
        return cls(cron=f"{minute} {hour} * * *", zone=zone)

    @classmethod
    def weekly(cls, day_of_week: int, hour: int, minute: int = 0, *, zone: str = "UTC") -> Self:
        """Return one day a week at a wall time; `day_of_week` counts from Monday = 0, as the specification does.

        Raises:
            InputError: there is no such day, time or zone.
        """
        _check_time(hour, minute)
        if isinstance(day_of_week, bool) or not 0 <= day_of_week < len(WEEKDAYS):
            raise InputError("day_of_week is 0 (Monday) to 6 (Sunday)")
        return cls(cron=f"{minute} {hour} * * {WEEKDAYS[day_of_week]}", zone=zone)

    def next_after(self, instant: datetime) -> Slot:
        """Return the first slot later than an instant."""
        return next(self.after(instant))

    def after(self, instant: datetime) -> Iterator[Slot]:
        """Yield the slots later than an instant, in order, each instant once, without end."""
        last = instant.astimezone(UTC)
        # A day that the zone left out moves its times to the next one, so two days are sorted together.
        held: list[Slot] = []
        for day in _days_from(last.astimezone(self._zone).date() - _DAY, days=None):
            found = list(self._on(day)) if self._crontab.allows(day) else []
            for slot in sorted(held):
                if slot.at > last:
                    last = slot.at
                    yield slot
            held = found

    def upcoming(self, instant: datetime, count: int = 3) -> list[Slot]:
        """Return the next slots."""
        return list(islice(self.after(instant), count))

    @property
    def weekday(self) -> int | None:
        """Return the one day of the week it is due on, from Monday = 0; None where there is not exactly one."""
        days = self._crontab.weekdays
        return min(days) if len(days) == 1 else None

    def describe(self) -> str:
        """Return it in words: `every day at 09:00 (Europe/Berlin)`."""
        return f"{self._in_words()} ({self.zone})"

    def _in_words(self) -> str:
        minute, hour, *days = self.cron.split()
        if not (minute.isdigit() and hour.isdigit()) or days[:2] != ["*", "*"]:
            return f"at “{self.cron}”"
        at = f"at {int(hour):02}:{int(minute):02}"
        if days[2] == "*":
            return f"every day {at}"
        if self.weekday is not None:
            return f"every {WEEKDAY_NAMES[self.weekday]} {at}"
        return f"at “{self.cron}”"

    def _on(self, day: date) -> Iterator[Slot]:
        return self._at_fixed_hours(day) if self._crontab.has_fixed_hours else self._by_real_time(day)

    def _at_fixed_hours(self, day: date) -> Iterator[Slot]:
        for hour in self._crontab.hours:
            for minute in self._crontab.minutes:
                wall = datetime.combine(day, time(hour, minute))
                # fold=0: of two the first; in a gap the offset from before it, which lands as much later (PEP 495).
                yield Slot(
                    wall.replace(tzinfo=self._zone).astimezone(UTC), wall.isoformat(timespec="minutes")
                )

    def _by_real_time(self, day: date) -> Iterator[Slot]:
        at, end = self._midnight(day), self._midnight(day + _DAY)
        while at < end:
            local = at.astimezone(self._zone)
            if local.minute in self._crontab.minutes and local.hour in self._crontab.hours:
                yield Slot(at, at.isoformat(timespec="minutes"))
            at += _MINUTE

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self._zone).astimezone(UTC)


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database, in any case.

    Raises:
        InputError: there is none; names the nearest.
    """
    known = _zones()
    if found := known.get(name.strip().casefold()):
        return ZoneInfo(found)
    near = nearest(name, known.values())
    hint = f" Did you mean {near}?" if near else " Such as Europe/Berlin or America/New_York."
    raise InputError(f"“{clip(one_line(name), 60)}” is no time zone.{hint}")


def zones_like(text: str, limit: int) -> list[str]:
    """Return the time zones that hold a text, in any case and with spaces for underscores; those that people often want where it is empty."""
    wanted = text.strip().casefold().replace(" ", "_")
    if not wanted:
        return list(_USUAL_ZONES[:limit])
    return list(islice((name for folded, name in _zones().items() if wanted in folded), limit))


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(available_timezones())}


def _days_from(first: date, *, days: int | None = _SEARCHED_DAYS) -> Iterator[date]:
    day = first
    while days is None or (day - first).days < days:
        yield day
        day += _DAY


def _check_time(hour: int, minute: int) -> None:
    if isinstance(hour, bool) or not 0 <= hour <= _LAST_HOUR:
        raise InputError("hour is 0 to 23")
    if isinstance(minute, bool) or not 0 <= minute <= _LAST_MINUTE:
        raise InputError("minute is 0 to 59")
