"""What a sending says where it comes late, or stands for earlier ones that were not sent: reckoned from what is stored, as it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exporters.ports import ScheduleStore
from exporters.schedules import Fire, FireState

_LATE = timedelta(minutes=5)
MOST_LOOKED_AT = 1000  # of a schedule's fires, where many in a row may have come to nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How many earlier ones were not sent, and when this one was due; `due_at` is None where it is in time and stands for itself alone."""

    missed: int = 0
    due_at: datetime | None = None

    @property
    def remark(self) -> str:
        """Return it in a few words, for the subject of a mail; empty where there is nothing to say."""
        missed = [f"{self.missed:,} earlier missed"] if self.missed else []
        due = [f"due {self.due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"] if self.due_at else []
        return ", ".join(missed + due)


def lateness_of(part: str, fire: Fire, store: ScheduleStore, now: datetime) -> Lateness:
    """Return how late a part of a fire is."""
    missed = fire.missed + count_unsent(part, fire, store.fires(fire.schedule_id, MOST_LOOKED_AT))
    is_late = missed or now - fire.due_at >= _LATE
    return Lateness(missed=missed, due_at=fire.due_at if is_late else None)


def count_unsent(part: str, fire: Fire, fires: Iterable[Fire]) -> int:
    """Return how many of a schedule's times, since it last did this part, came to nothing before this fire. `fires` come newest first."""
    count = 0
    for each in (each for each in fires if each.due_at < fire.due_at):
        if each.state is FireState.SENT or each.is_done(part):
            break
        if each.asked_by is None:
            count += each.missed + 1
    return count
