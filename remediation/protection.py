"""Where and when nothing may be changed, whoever signs. What cannot be told counts as protected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from audit.errors import RefusedError
from remediation.plan import Target

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWindow:
    """Hours in which changes may run, on some days of the week (`mon` … `sun`), in a time zone's local time.

    `start` is in it and `end` is not. One that ends before it starts goes past midnight, into the day after.
    """

    days: frozenset[str]
    start: time
    end: time
    zone: ZoneInfo

    def holds(self, now: datetime) -> bool:
        """Tell whether an aware time lies in it."""
        local = now.astimezone(self.zone)
        clock, day = local.time(), DAYS[local.weekday()]
        if self.start < self.end:
            return day in self.days and self.start <= clock < self.end
        day_before = DAYS[local.weekday() - 1]
        return (day in self.days and clock >= self.start) or (day_before in self.days and clock < self.end)

    def __str__(self) -> str:
        days = ", ".join(day.capitalize() for day in DAYS if day in self.days)
        return f"{days} {self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Days on which nothing is changed, both included, in a time zone's calendar."""

    first: date
    last: date
    zone: ZoneInfo

    def holds(self, now: datetime) -> bool:
        """Tell whether an aware time lies in it."""
        return self.first <= now.astimezone(self.zone).date() <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What the configuration protects.

    `resources` are patterns with `*` and `?` of the clouds' own ids, compared in any case. `accounts` names the only accounts to act
    in; None allows all. Without `windows` changes may run at any hour. A rollback is never held up by the calendar.
    """

    resources: tuple[str, ...] = ()
    accounts: frozenset[str] | None = None
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def refuse_target(self, target: Target) -> None:
        """Refuse a protected resource, and an account that is not named or not known.

        Raises:
            RefusedError: with the rule that says so.
        """
        for pattern in self.resources:
            if fnmatchcase(target.resource.casefold(), pattern.casefold()):
                raise RefusedError(f"{target.resource} is protected: `protection.resources` names {pattern}.")
        if self.accounts is not None and target.account_id not in self.accounts:
            account = target.account_id or "an unknown account"
            raise RefusedError(f"Nothing is changed in {account}: `protection.accounts` does not name it.")

    def refuse_time(self, now: datetime) -> None:
        """Refuse to run now, where the calendar says no.

        Raises:
            RefusedError: says when changes may run.
        """
        if freeze := next((freeze for freeze in self.freezes if freeze.holds(now)), None):
            raise RefusedError(
                f"Nothing is changed until {freeze.last} is over: `protection.freezes` says so."
            )
        if self.windows and not any(window.holds(now) for window in self.windows):
            raise RefusedError(f"Changes may run {self._hours()} only. Approve it then.")

    def describe(self) -> Iterator[str]:
        """Yield what an approver should know about the calendar."""
        if self.windows:
            yield f"May run {self._hours()} only"

    def to_dict(self) -> dict[str, object]:
        """Return the rules for the policy's digest."""
        return {
            "resources": sorted(self.resources),
            "accounts": None if self.accounts is None else sorted(self.accounts),
            "windows": sorted(map(str, self.windows)),
            "freezes": sorted(f"{freeze.first}/{freeze.last} {freeze.zone.key}" for freeze in self.freezes),
        }

    def _hours(self) -> str:
        return "; ".join(map(str, self.windows))
