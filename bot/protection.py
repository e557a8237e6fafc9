"""The configuration's `protection:` section: what nothing may change, and when."""

from datetime import date, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from remediation.protection import ChangeWindow, Freeze, Protection

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"“{name[:40]}” is no time zone, such as Europe/Berlin") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowSection(_Section):
    """Hours in which changes may run."""

    days: list[Day] = Field(min_length=1)
    start: Clock = Field(description="Such as “09:00”, in quotes.")
    end: Clock = Field(description="Such as “16:00”, in quotes; before `start`, it is the next day's.")
    timezone: Zone = "UTC"

    @model_validator(mode="after")
    def _check_length(self) -> "WindowSection":
        if self.start == self.end:
            raise ValueError("start and end are the same: leave the window out to allow every hour")
        return self

    def build(self) -> ChangeWindow:
        """Return the window as remediation knows it."""
        return ChangeWindow(
            days=frozenset(self.days),
            start=time.fromisoformat(self.start),
            end=time.fromisoformat(self.end),
            zone=ZoneInfo(self.timezone),
        )


class FreezeSection(_Section):
    """Days on which nothing is changed, both included."""

    first: date
    last: date
    timezone: Zone = "UTC"

    @model_validator(mode="after")
    def _check_order(self) -> "FreezeSection":
        if self.last < self.first:
            raise ValueError("last is before first")
        return self

    def build(self) -> Freeze:
        """Return the freeze as remediation knows it."""
        return Freeze(first=self.first, last=self.last, zone=ZoneInfo(self.timezone))


class ProtectionSection(_Section):
    """Where and when nothing may be changed, whoever signs."""

    resources: list[Pattern] = Field(
        default_factory=list, description="Ids that are never changed; * and ? stand for any."
    )
    tags: list[Pattern] = Field(
        default_factory=list,
        description="Tags of resources that are never changed, as name=value or a name alone; * and ? stand for any.",
    )
    accounts: list[Pattern] | None = Field(
        default=None, description="The only accounts, projects or subscriptions to act in."
    )
    windows: list[WindowSection] = Field(default_factory=list)
    freezes: list[FreezeSection] = Field(default_factory=list)
    max_targets: int | None = Field(
        default=None,
        gt=0,
        description="The most resources that one plan may write to, whatever a playbook says.",
    )

    def build(self) -> Protection:
        """Return the rules as remediation knows them."""
        return Protection(
            resources=tuple(self.resources),
            tags=tuple(self.tags),
            accounts=None if self.accounts is None else frozenset(self.accounts),
            windows=tuple(window.build() for window in self.windows),
            freezes=tuple(freeze.build() for freeze in self.freezes),
            max_targets=self.max_targets,
        )
