"""Where and when nothing may be changed, whoever signs. What cannot be told counts as protected."""

from collections.abc import Iterable, Iterator, Mapping
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

    `resources` are patterns with `*` and `?` of the clouds' own ids, compared in any case; `tags` are such patterns of `name=value`, or
    of a name alone, whatever its value. `accounts` names the only accounts to act in; None allows all. Without `windows` changes may run
    at any hour. `max_targets` is the most resources that one plan may write to; None leaves it to the playbook. A rollback is never
    held up by the calendar.
    """

    resources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    accounts: frozenset[str] | None = None
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    max_targets: int | None = None

    def refuse_target(self, target: Target) -> None:
        """Refuse a protected resource, and an account that is not named or not known.

        Raises:
            RefusedError: with the rule that says so.
        """
        self.refuse_resource(target.resource)
        self.refuse_account(target.account_id)

    def refuse_resource(self, resource: str) -> None:
        """Refuse a protected resource.

        Raises:
            RefusedError: with the rule that says so.
        """
        for pattern in self.resources:
            if _matches(resource, pattern):
                raise RefusedError(f"{resource} is protected: `protection.resources` names {pattern}.")

    def refuse_account(self, account_id: str) -> None:
        """Refuse an account that is not named or not known.

        Raises:
            RefusedError: with the rule that says so.
        """
        if self.accounts is not None and account_id not in self.accounts:
            account = account_id or "an unknown account"
            raise RefusedError(f"Nothing is changed in {account}: `protection.accounts` does not name it.")

    def refuse_tags(self, resource: str, tags: Mapping[str, str] | None) -> None:
        """Refuse a resource that carries a protected tag, and one whose tags nobody could read, where any tag is protected.

        Raises:
            RefusedError: with the rule that says so.
        """
        if self.tags and tags is None:
            raise RefusedError(
                f"The tags of {resource} could not be read, so nobody can tell whether `protection.tags` protects it."
            )
        for pattern in self.tags:
            name, has_value, value = pattern.partition("=")
            for tag, carried in (tags or {}).items():
                if _matches(tag, name) and (not has_value or _matches(carried, value)):
                    raise RefusedError(
                        f"{resource} is protected by its tag {tag}: `protection.tags` names {pattern}."
                    )

    def refuse_crowd(self, targets: Iterable[Target], *, most: int) -> None:
        """Refuse a plan that writes to more resources than the playbook, or these rules, allow.

        Raises:
            RefusedError: with both numbers.
        """
        limit = most if self.max_targets is None else min(most, self.max_targets)
        count = len({(target.provider, target.account_id, target.resource.casefold()) for target in targets})
        if count > limit:
            where = "the playbook's `max_targets`" if limit == most else "`protection.max_targets`"
            raise RefusedError(f"This would change {count} resources; {where} allows {limit}.")

    def refuse_time(self, now: datetime) -> None:
        """Refuse to run now, where the calendar says no.

        Raises:
            RefusedError: says when changes may run.
        """
        self.refuse_freeze(now)
        self.refuse_window(now)

    def refuse_freeze(self, now: datetime) -> None:
        """Refuse to run on a frozen day.

        Raises:
            RefusedError: says until when.
        """
        if freeze := next((freeze for freeze in self.freezes if freeze.holds(now)), None):
            raise RefusedError(
                f"Nothing is changed until {freeze.last} is over: `protection.freezes` says so."
            )

    def refuse_window(self, now: datetime) -> None:
        """Refuse to run outside the windows, where there are any.

        Raises:
            RefusedError: says when changes may run.
        """
        if self.windows and not any(window.holds(now) for window in self.windows):
            raise RefusedError(f"Changes may run {self._hours()} only. Approve it then.")

    def describe(self, now: datetime) -> Iterator[str]:
        """Yield what an approver should know: what was checked, and what the calendar says from now on."""
        if checked := [
            word
            for word, is_set in (
                ("resources", bool(self.resources)),
                ("accounts", self.accounts is not None),
                ("tags", bool(self.tags)),
            )
            if is_set
        ]:
            yield f"Let through by `protection`: {', '.join(checked)}"
        if self.windows:
            yield f"May run {self._hours()} only"
        for freeze in sorted(self.freezes, key=lambda freeze: freeze.first):
            if now.astimezone(freeze.zone).date() <= freeze.last:
                yield f"May not run from {freeze.first} to {freeze.last} {freeze.zone.key}"

    def to_dict(self) -> dict[str, object]:
        """Return the rules for the policy's digest."""
        return {
            "resources": sorted(self.resources),
            "tags": sorted(self.tags),
            "accounts": None if self.accounts is None else sorted(self.accounts),
            "windows": sorted(map(str, self.windows)),
            "freezes": sorted(f"{freeze.first}/{freeze.last} {freeze.zone.key}" for freeze in self.freezes),
            "max_targets": self.max_targets,
        }

    def _hours(self) -> str:
        return "; ".join(map(str, self.windows))


def _matches(text: str, pattern: str) -> bool:
    """Tell whether a pattern fits, in any case: `*` and `?` stand for any, and a bracket for nothing but itself."""
    return fnmatchcase(text.casefold(), pattern.casefold().replace("[", "[[]"))
