"""What looks at the clock: APScheduler with a job store in memory, rebuilt from the stored schedules.

The store is the truth and says who gets a slot; a timer only wakes us in time. Whatever timers miss (another process has changed a
schedule, this one slept) is found by the next look at the store, every few seconds. APScheduler's own stores cannot be shared
between processes and pickle what they hold.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from audit.errors import CountersignError
from exporters.ports import ScheduleStore

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger()
LOOK_EVERY_S = 10.0
DEAD_AFTER_S = 60.0
_LOOK = "look"


class Clockwork:
    """Calls `tick` when a schedule is due, and every few seconds.

    Args:
        store: where the schedules are.
        tick: does what is due; called by one thread at a time, and again soon when it raises CountersignError.
        look_every_s: seconds between two looks at the store.
    """

    def __init__(
        self, store: ScheduleStore, tick: Callable[[], object], *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._store = store
        self._tick = tick
        self._look_every_s = look_every_s
        self._timers: dict[str, tuple[int, datetime]] = {}
        self._turn = threading.Lock()
        self._stopping = False
        self._scheduler: BackgroundScheduler | None = None
        self._looked_at = time.monotonic()

    def start(self) -> None:
        """Start looking, at once; a second start does nothing."""
        from apscheduler.schedulers.background import BackgroundScheduler

        if self._scheduler is not None:
            return
        # No limit to lateness, and what is late many times is one: what was missed is for the store to say.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults, daemon=True)
        self._scheduler.add_job(
            self._look,
            "interval",
            seconds=self._look_every_s,
            next_run_time=datetime.now(UTC),
            id=_LOOK,
        )
        self._looked_at = time.monotonic()
        self._scheduler.start()

    def stop(self) -> None:
        """Finish what is being done, and look no more.

        Our own lock is waited for, not APScheduler's pool: that one's shutdown holds what a look needs to set its timers.
        """
        self._stopping = True
        with self._turn:
            if self._scheduler is not None and self._scheduler.running:
                self._scheduler.shutdown(wait=False)

    @property
    def is_alive(self) -> bool:
        """Tell whether it runs, and has looked at the store lately."""
        if self._scheduler is None or not self._scheduler.running:
            return False
        return time.monotonic() - self._looked_at < DEAD_AFTER_S

    @property
    def timers(self) -> dict[str, datetime]:
        """Return when it will wake up for which schedule."""
        return {name: at for name, (_, at) in self._timers.items()}

    def _look(self) -> None:
        with self._turn:
            if self._stopping or self._scheduler is None:
                return
            try:
                self._tick()
                self._set_timers(self._scheduler)
            except CountersignError as error:  # a database that is busy or away; the next look may find it
                log.warning("schedules not looked at", error=str(error))
            else:
                self._looked_at = time.monotonic()

    def _set_timers(self, scheduler: "BackgroundScheduler") -> None:
        """Have a timer for each active schedule as it stands now, and no other."""
        wanted = {
            schedule.schedule_id: (schedule.rev, schedule.next_at)
            for schedule in self._store.all()
            if schedule.is_active
        }
        for name in self._timers.keys() - wanted.keys():
            if scheduler.get_job(_job(name)):
                scheduler.remove_job(_job(name))
        for name, timer in wanted.items():
            if self._timers.get(name) != timer:
                scheduler.add_job(self._look, "date", run_date=timer[1], id=_job(name), replace_existing=True)
        self._timers = wanted


def _job(schedule_id: str) -> str:
    return f"schedule {schedule_id}"
