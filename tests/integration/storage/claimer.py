"""One of two processes that send what is due: prints the slots it sent. A clock of its own runs through them.

Usage: `python claimer.py URL SLOTS`; starts when it reads a line.
"""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta

from exporters.firing import Firing, Part
from exporters.schedules import Fire, Schedule
from exporters.scheduling import Scheduling
from storage import Stores
from tests.fakes.samples import NOW


@dataclass
class Printer:
    """Sends by printing."""

    def can_send(self, _schedule: Schedule) -> bool:
        return True

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        return [Part("print", lambda fire: print(schedule.schedule_id, fire.slot, flush=True))]  # noqa: T201


def main(url: str, slots: int) -> None:
    stores, now = Stores.open(url), NOW

    def clock() -> datetime:
        return now

    scheduling = Scheduling(store=stores.schedules, clock=clock)
    firing = Firing(store=stores.schedules, clock=clock, senders={"digest": Printer()})
    print("ready", flush=True)  # noqa: T201 - the test reads it
    sys.stdin.readline()
    for _ in range(slots):
        now += timedelta(minutes=1)
        scheduling.claim_due()
        for fire_id in stores.schedules.waiting(now):
            firing.fire(fire_id)
    stores.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
