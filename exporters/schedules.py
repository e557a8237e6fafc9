"""What is sent by itself, when and where to; and one sending of it, a fire.

A schedule says what and when. Each time it is due one fire is claimed, in one transaction with its trail entry, by whichever
process is first; the fire is then attempted until all its parts are done or nobody tries any more.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from audit.actor import Actor
from exporters.cadence import Cadence, Slot

DEFAULT_FORMAT = "html"
# A fire is never put off for longer than this, be it a lease, be it the pause before another try.
LONGEST_REST = timedelta(minutes=30)
# Slots that were dealt with further ahead than this were dealt with by a clock that was wrong.
AHEAD = timedelta(minutes=10)
ACCOUNT = "account:"


class ScheduleKind(StrEnum):
    """What a schedule does when it is due."""

    DIGEST = "digest"  # how things stand and the newest report, to a channel and/or by mail
    GENERATED = "generated"  # what a program's own function returns, by mail
    PULL = "pull"  # fetch findings from a cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is sent, when and where to.

    `watermark`: up to there every slot was dealt with; `next_at` is the first slot after it. `rev` grows with every change that
    a clock has to know; `failures` counts the fires in a row that came to nothing. Times are aware UTC.

    Args:
        channel: a Slack channel's id; empty where nothing is posted.
        recipients: mail addresses.
        format: what is attached, one of the export formats.
        source: what is fetched, as `audit.pull_words` reads it; for a digest the account that it is about (`account:1234`), empty
            where it is about all.
        owner: who made it, and is told when it fails.
        paused_because: empty while it is active.
    """

    schedule_id: str
    cadence: Cadence
    owner: Actor
    created_at: datetime
    watermark: datetime
    next_at: datetime
    kind: ScheduleKind = ScheduleKind.DIGEST
    channel: str = ""
    recipients: tuple[str, ...] = ()
    format: str = DEFAULT_FORMAT
    source: str = ""
    paused_because: str = ""
    failures: int = 0
    rev: int = 1

    @property
    def is_active(self) -> bool:
        """Tell whether it will be due."""
        return not self.paused_because

    @property
    def account(self) -> str:
        """Return the account that a digest is about, empty where it is about all."""
        is_narrow = self.kind is ScheduleKind.DIGEST and self.source.startswith(ACCOUNT)
        return self.source.removeprefix(ACCOUNT) if is_narrow else ""

    @property
    def purpose(self) -> str:
        """Return what it does, in plain text."""
        where = ", ".join(filter(None, (self.channel, *self.recipients)))
        if self.kind is not ScheduleKind.PULL:
            return f"{self.source} to {where or 'nowhere'}".strip()
        return f"pull {self.source}, told in {where}" if where else f"pull {self.source}"

    @property
    def verb(self) -> str:
        """Return what happens to what it does each time, such as `sent`."""
        return "fetched" if self.kind is ScheduleKind.PULL else "sent"


class FireState(StrEnum):
    """Where a fire stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    OVERTAKEN = "overtaken"  # what it needs gave no answer until the next one was due


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One sending of a schedule.

    `missed` slots before this one nobody was there for. `parts` are done and never done again, each by its name, behind which may
    stand what it brought: `report r-1a2b`. An attempt is counted when it
    is begun, and `attempts` is at the same time its fence: whoever holds an older number is out. `not_before`: nobody else
    begins it earlier, be it a lease, be it the pause before another try.

    Args:
        error: what stood in the way last; of one that was sent, whom it did not reach.
        excused: attempts that do not count, because what they needed gave no answer.
        to_mend: the `error` is something that a person has to mend.
        asked_by: who wanted it now; None where it was due.
    """

    fire_id: str
    schedule_id: str
    slot: str
    due_at: datetime
    not_before: datetime
    missed: int = 0
    state: FireState = FireState.WAITING
    attempts: int = 0
    parts: tuple[str, ...] = field(default=())
    error: str = ""
    asked_by: Actor | None = None
    excused: int = 0
    to_mend: bool = False

    @property
    def counted(self) -> int:
        """Return how many attempts count."""
        return self.attempts - self.excused

    def is_done(self, part: str) -> bool:
        """Tell whether a part is done."""
        return any(name.partition(" ")[0] == part for name in self.parts)

    def having_done(self, part: str, brought: str | None = None) -> Self:
        """Return it with a part done, and what that brought."""
        return replace(self, parts=(*self.parts, f"{part} {brought or ''}".strip()))

    def brought(self, part: str) -> str:
        """Return what a part brought; empty where nothing, or where it is not done."""
        found = (name.partition(" ") for name in self.parts)
        return next((what for name, _, what in found if name == part), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A schedule that sends nothing: the first and the newest of its fires since the last that was sent.

    Args:
        error: what stood in the way last; empty where nothing did, and none was attempted yet.
    """

    first: Fire
    newest: Fire
    error: str = ""


def fire_of(schedule: Schedule, slot: Slot, *, missed: int, now: datetime) -> Fire:
    """Return the fire of a slot: the same id whoever makes it."""
    return Fire(
        fire_id=fire_id_of(schedule, slot.key),
        schedule_id=schedule.schedule_id,
        slot=slot.key,
        due_at=slot.at,
        not_before=now,
        missed=missed,
    )


def fire_id_of(schedule: Schedule, slot: str) -> str:
    """Return an id for a slot. A schedule that was removed and made anew under its old name has fires of its own."""
    parts = (schedule.schedule_id, schedule.created_at.isoformat(), slot)
    return f"fire-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"
