"""What exporters need of the outside: somewhere to hand a finished file to, and a memory for schedules."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from audit.trail import TrailEvent
from exporters.schedules import Fire, Outage, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A rendered report, ready to be handed over.

    `content` stands at its beginning and is closed when the delivery returns: copy it, do not keep it. `size` is in
    bytes, `sha256` 64 hexadecimal digits; `findings` went in, `rejected` could not be written.
    """

    name: str
    media_type: str
    size: int
    sha256: str
    content: BinaryIO
    findings: int = 0
    rejected: int = 0


class Delivery(Protocol):
    """Takes a file to where the person asked for it: a channel, a mailbox, a path."""

    def deliver(self, file: ExportedFile) -> None:
        """Hand the file over, whole.

        Raises:
            CountersignError: it could not be handed over; the text says why.
        """


class ScheduleStore(Protocol):
    """Schedules and their fires, shared by all processes. Each change is one transaction with its trail entry."""

    def add(self, schedule: Schedule, event: TrailEvent) -> None:
        """Store a new schedule.

        Raises:
            StateError: there is one of that name. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def get(self, schedule_id: str) -> Schedule:
        """Return a schedule.

        Raises:
            NotFoundError: none goes by that id.
        """

    def all(self, *, limit: int | None = None, offset: int = 0) -> list[Schedule]:
        """Return all schedules, by when they were made; with a limit so many, from an offset on."""

    def save(self, before: Schedule, after: Schedule, event: TrailEvent) -> Schedule:
        """Store `after` if the stored one still is `before`; return it with its new `rev`.

        Raises:
            StateError: somebody was faster, or a slot was claimed meanwhile. Nothing is written.
        """

    def remove(self, schedule: Schedule, event: TrailEvent) -> None:
        """Forget a schedule and its fires; the trail keeps what was.

        Raises:
            StateError: it is gone, or has changed meanwhile. Nothing is written.
        """

    def due(self, now: datetime) -> list[Schedule]:
        """Return active schedules whose next slot has come, or whose slots were dealt with further `AHEAD` than now."""

    def claim(self, before: Schedule, after: Schedule, fire: Fire, event: TrailEvent) -> bool:
        """Move the watermark on and store the fire; tell whether it was us who did.

        False where somebody else claimed it, or the schedule was changed, paused or removed meanwhile.
        """

    def ask(self, fire: Fire, event: TrailEvent) -> bool:
        """Store a fire that somebody asked for; False where that very one was asked for before.

        Raises:
            NotFoundError: its schedule is gone.
        """

    def waiting(self, now: datetime) -> list[str]:
        """Return the ids of fires that somebody has to attempt now, the longest due first."""

    def begin(self, fire_id: str, now: datetime, *, until: datetime) -> Fire | None:
        """Count an attempt and hold the fire until then; None where it is done, gone, held or not due. Committed at return."""

    def fire(self, fire_id: str) -> Fire:
        """Return a fire.

        Raises:
            NotFoundError: none goes by that id.
        """

    def fires(self, schedule_id: str, limit: int = 10) -> list[Fire]:
        """Return a schedule's fires, newest first."""

    def troubled(self, since: datetime) -> list[Fire]:
        """Return the fires with an `error` that were attempted since, the longest ago first."""

    def outage(self, schedule_id: str) -> Outage | None:
        """Return since when a schedule has sent nothing, however many fires ago that is; None where it has sent the newest, or has none."""

    def last_failed(self, schedule_id: str) -> Fire | None:
        """Return the newest of a schedule's fires that came to nothing; None where none did."""

    def note(self, fire: Fire) -> None:
        """Store what became of an attempt so far: parts, error and its kind, `not_before`.

        Raises:
            StateError: somebody else has begun another attempt, or it is settled or gone. Nothing is written.
        """

    def settle(self, fire: Fire, event: TrailEvent) -> Schedule:
        """Store the outcome and count failures in a row, which `SENT` ends and `OVERTAKEN` leaves as they are; return the schedule.

        Raises:
            StateError: as for `note`. Nothing is written.
        """
