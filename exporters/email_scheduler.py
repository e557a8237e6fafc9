"""The specification's `EmailScheduler`: reports that a program makes up itself, mailed at their times.

Over the same store and the same claims as the bot's schedules. A function cannot be stored (nothing is pickled here), so each
process that is to send registers its own; the table holds the id, the times and the addresses.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import RLock
from typing import Self

import structlog

from audit.actor import Actor
from audit.errors import CountersignError, InputError, NotFoundError
from exporters.cadence import Cadence, zone_named
from exporters.clock import Clock, utc_now
from exporters.clockwork import Clockwork
from exporters.email_service import EmailService
from exporters.firing import Firing, Part
from exporters.lateness import lateness_of
from exporters.mail_addresses import to_addresses
from exporters.mail_model import Mail
from exporters.mail_writer import write_mail
from exporters.mailing import subject_of
from exporters.ports import ScheduleStore
from exporters.schedule_memory import MemorySchedules
from exporters.schedules import Fire, Schedule, ScheduleKind
from exporters.scheduling import Scheduling, Wish
from exporters.source import ReportSource

log = structlog.get_logger()
PROGRAM = Actor(origin="api")
DISABLED = "disabled by its program"
Generator = Callable[[], "str | Mapping[str, object] | Mail"]


class EmailScheduler:
    """Mails what functions return, daily or weekly.

    A function takes nothing and returns the mail: its HTML as text, the specification's report dictionary, or a `Mail` of which
    the recipients are replaced. It is called when the mail is due, in another thread. One that raises is tried again later, and
    its schedule is disabled after three reports in a row that came to nothing; the log says so.

    Args:
        email_service: sends the mails.
        store: where schedules are kept; without one, in memory, and they end with the process. In a database several processes
            may share them: each report is sent by one.
        clock: gives the time, aware.
        zone: of the hours, such as `Europe/Berlin`.
        background: sends by itself, from the first schedule on. Without it, call `run_pending` often.

    Raises:
        InputError: the methods, where an id, an address or a time cannot be used; nothing is scheduled.
    """

    def __init__(
        self,
        email_service: EmailService,
        *,
        store: ScheduleStore | None = None,
        clock: Clock = utc_now,
        zone: str = "UTC",
        background: bool = True,
    ) -> None:
        self._store = store if store is not None else MemorySchedules()
        self._zone = zone_named(zone).key
        self._background = background
        self._sender = GeneratedSender(email_service, self._store, clock=clock)
        self._scheduling = Scheduling(store=self._store, clock=clock)
        self._firing = Firing(
            store=self._store,
            clock=clock,
            senders={ScheduleKind.GENERATED: self._sender},
        )
        self._clock = clock
        self._clockwork = Clockwork(self._store, self.run_pending, look_every_s=1.0)
        self._turn = RLock()

    def schedule_daily_report(
        self,
        schedule_id: str,
        recipient_emails: str | Iterable[str],
        report_generator_func: Generator,
        hour: int = 9,
        minute: int = 0,
    ) -> bool:
        """Mail a report every day. A schedule of the same id is replaced."""
        cadence = Cadence.daily(hour, minute, zone=self._zone)
        return self._schedule(schedule_id, recipient_emails, report_generator_func, cadence)

    def schedule_weekly_report(  # noqa: PLR0913, PLR0917 - the specification's signature
        self,
        schedule_id: str,
        recipient_emails: str | Iterable[str],
        report_generator_func: Generator,
        day_of_week: int = 0,
        hour: int = 9,
        minute: int = 0,
    ) -> bool:
        """Mail a report once a week; `day_of_week` 0 is Monday. A schedule of the same id is replaced."""
        cadence = Cadence.weekly(day_of_week, hour, minute, zone=self._zone)
        return self._schedule(schedule_id, recipient_emails, report_generator_func, cadence)

    def disable_schedule(self, schedule_id: str) -> bool:
        """Send a report no more; False where there is none of that id."""
        try:
            self._scheduling.pause(schedule_id, PROGRAM, because=DISABLED)
        except NotFoundError:
            return False
        return True

    def list_schedules(self) -> list[dict[str, object]]:
        """Return the schedules with their ids, recipients, times and what comes next; times in ISO 8601."""
        return [self._to_dict(schedule) for schedule in self._mine()]

    def run_pending(self) -> int:
        """Send what is due; return how many reports were attempted."""
        with self._turn:
            self._scheduling.claim_due()
            waiting = self._store.waiting(self._clock())
            mine = {schedule.schedule_id for schedule in self._mine()}
            fires = [fire for fire in map(self._store.fire, waiting) if fire.schedule_id in mine]
            for fire in fires:
                self._firing.fire(fire.fire_id)
            return len(fires)

    def close(self) -> None:
        """Finish what is being sent, and send no more."""
        self._clockwork.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _schedule(
        self, schedule_id: str, recipients: str | Iterable[str], generator: Generator, cadence: Cadence
    ) -> bool:
        if not callable(generator):
            raise InputError("report_generator_func must be a function that returns the report")
        wish = Wish(
            schedule_id=schedule_id,
            cadence=cadence,
            kind=ScheduleKind.GENERATED,
            recipients=to_addresses(recipients, role="recipient_emails"),
            format="",
        )
        self._sender.generators[schedule_id] = generator
        schedule = self._scheduling.put(wish, PROGRAM)
        if schedule.paused_because == DISABLED:
            self._scheduling.resume(schedule_id, PROGRAM)
        if self._background:
            self._clockwork.start()
        return True

    def _mine(self) -> list[Schedule]:
        return [schedule for schedule in self._store.all() if schedule.kind is ScheduleKind.GENERATED]

    def _to_dict(self, schedule: Schedule) -> dict[str, object]:
        minute, hour, *_, weekday = schedule.cadence.cron.split()
        days = {} if weekday == "*" else {"day_of_week": schedule.cadence.weekday}
        return {
            "schedule_id": schedule.schedule_id,
            "frequency": "weekly" if days else "daily",
            "recipients": list(schedule.recipients),
            **days,
            "hour": int(hour),
            "minute": int(minute),
            "time_zone": schedule.cadence.zone,
            "enabled": schedule.is_active,
            "disabled_because": schedule.paused_because,
            "next_run": schedule.next_at.isoformat() if schedule.is_active else None,
        }


@dataclass(frozen=True, slots=True)
class GeneratedSender:
    """Sends what this process's functions return; see `exporters.firing.Sender`."""

    email_service: EmailService
    store: ScheduleStore
    clock: Clock
    generators: dict[str, Generator] = field(default_factory=dict)

    def can_send(self, schedule: Schedule) -> bool:
        """Tell whether this process has registered a function for it."""
        return schedule.schedule_id in self.generators

    def parts(self, schedule: Schedule, _fire: Fire) -> list[Part]:
        """Return the mail."""
        return [Part("mail", lambda fire: self._send(schedule, fire))]

    def _send(self, schedule: Schedule, fire: Fire) -> None:
        mail = self._to_mail(schedule, _call(self.generators[schedule.schedule_id]))
        # The same key gives the same Message-ID: a mail that is sent once more after a crash is known as the same one.
        remark = lateness_of("mail", fire, self.store, self.clock()).remark
        subject = f"{mail.subject} ({remark})" if remark else mail.subject
        addressed = replace(mail, to=schedule.recipients, subject=subject, key=fire.fire_id)
        self.email_service.mailer.send(addressed).require_complete()

    def _to_mail(self, schedule: Schedule, made: object) -> Mail:
        if isinstance(made, Mail):
            return made
        if isinstance(made, str) and made.strip():
            return Mail(to=schedule.recipients, subject=f"Security report: {schedule.schedule_id}", html=made)
        if isinstance(made, Mapping):
            source, body = ReportSource.from_data(made, now=self.clock()), BytesIO()
            write_mail(source, body, now=self.clock())
            return Mail(
                to=schedule.recipients, subject=subject_of(source.header), html=body.getvalue().decode()
            )
        raise InputError(
            f"its function returned {type(made).__name__}: it must return HTML, a report or a Mail"
        )


def _call(generator: Generator) -> object:
    """Call a stranger's function; whatever it raises is a failure of this report and of nothing else."""
    try:
        return generator()
    except CountersignError:
        raise
    except Exception as error:
        log.exception("report generator failed")
        raise InputError(f"its function failed with {type(error).__name__}") from error
