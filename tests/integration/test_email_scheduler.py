"""The specification's `EmailScheduler`, called the way its guide calls it, with a real mail server behind."""

import inspect
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import exporters
from audit.errors import InputError
from bot.sandbox.inbox import Inbox
from exporters import EmailScheduler, EmailService
from exporters.firing import MOST_FAILURES
from exporters.mail_model import Mail
from exporters.mail_security import Security
from exporters.schedule_memory import MemorySchedules
from exporters.schedules import FireState
from storage import Stores
from tests.databases import migrate
from tests.unit.exporters.samples import report

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CISO = "ciso@northwind.example"


@dataclass
class Time:
    now: datetime = SUNDAY
    steps: list[datetime] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox.start() as running:
        yield running


@pytest.fixture
def service(inbox: Inbox) -> EmailService:
    return EmailService(
        "127.0.0.1",
        inbox.port,
        "countersign@northwind.example",
        security=Security.PLAIN_LOOPBACK,
        max_attempts=1,
    )


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def scheduler(service: EmailService, time: Time) -> EmailScheduler:
    return EmailScheduler(service, clock=time, background=False)


def run(scheduler: EmailScheduler, time: Time, **passing: float) -> int:
    time.now += timedelta(**passing)
    return scheduler.run_pending()


SIGNATURES = {
    "__init__": "email_service",
    "schedule_daily_report": "schedule_id, recipient_emails, report_generator_func, hour=9, minute=0",
    "schedule_weekly_report": "schedule_id, recipient_emails, report_generator_func, day_of_week=0, hour=9, minute=0",
    "disable_schedule": "schedule_id",
    "list_schedules": "",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_each_signature_is_the_specifications(name: str) -> None:
    parameters = [
        entry.replace(annotation=inspect.Parameter.empty)
        for entry in inspect.signature(getattr(EmailScheduler, name)).parameters.values()
        if entry.kind is entry.POSITIONAL_OR_KEYWORD and entry.name != "self"
    ]
    assert ", ".join(map(str, parameters)) == SIGNATURES[name]


def test_it_is_public() -> None:
    assert "EmailScheduler" in exporters.__all__
    assert not hasattr(exporters, "NoSuchThing")


def test_the_guides_example_sends_on_monday_at_eight_and_each_day_at_nine(
    scheduler: EmailScheduler, time: Time, inbox: Inbox
) -> None:
    assert scheduler.schedule_daily_report(
        schedule_id="daily-executive",
        recipient_emails=[CISO],
        report_generator_func=lambda: "<p>daily</p>",
        hour=9,
        minute=0,
    )
    assert scheduler.schedule_weekly_report(
        schedule_id="weekly-audit",
        recipient_emails=["team@northwind.example"],
        report_generator_func=lambda: "<p>weekly</p>",
        day_of_week=0,
        hour=8,
        minute=0,
    )
    assert run(scheduler, time, hours=19) == 0
    assert run(scheduler, time, hours=1) == 1
    assert run(scheduler, time, hours=1) == 1
    assert run(scheduler, time, hours=23) == 0
    assert run(scheduler, time, hours=1) == 1
    daily, weekly, again = sorted(inbox.mails(), key=lambda mail: mail.recipients)
    assert [mail.recipients for mail in (daily, weekly, again)] == [
        (CISO,),
        (CISO,),
        ("team@northwind.example",),
    ]


def test_schedules_are_listed_and_disabled(scheduler: EmailScheduler) -> None:
    scheduler.schedule_weekly_report("weekly", [CISO], lambda: "x", 0, 8, 30)
    scheduler.schedule_daily_report("daily", CISO, lambda: "x")
    weekly, daily = sorted(
        scheduler.list_schedules(), key=lambda entry: str(entry["frequency"]), reverse=True
    )
    assert weekly == {
        "schedule_id": "weekly",
        "frequency": "weekly",
        "recipients": [CISO],
        "day_of_week": 0,
        "hour": 8,
        "minute": 30,
        "time_zone": "UTC",
        "enabled": True,
        "disabled_because": "",
        "next_run": "2026-11-23T08:30:00+00:00",
    }
    assert daily["hour"] == 9
    assert "day_of_week" not in daily
    assert scheduler.disable_schedule("daily") is True
    assert scheduler.disable_schedule("no-such") is False
    (entry,) = (entry for entry in scheduler.list_schedules() if entry["schedule_id"] == "daily")
    assert (entry["enabled"], entry["next_run"]) == (False, None)


def test_disabled_it_sends_nothing_until_it_is_scheduled_again(
    scheduler: EmailScheduler, time: Time, inbox: Inbox
) -> None:
    scheduler.schedule_daily_report("daily", CISO, lambda: "<p>1</p>")
    scheduler.disable_schedule("daily")
    assert run(scheduler, time, days=2) == 0
    scheduler.schedule_daily_report("daily", CISO, lambda: "<p>2</p>")
    assert run(scheduler, time, days=1) == 1
    assert len(inbox.mails()) == 1


def test_scheduled_once_more_it_has_the_new_time(scheduler: EmailScheduler, time: Time) -> None:
    scheduler.schedule_daily_report("daily", CISO, lambda: "<p>1</p>", 9)
    scheduler.schedule_daily_report("daily", CISO, lambda: "<p>1</p>", 7)
    (entry,) = scheduler.list_schedules()
    assert entry["hour"] == 7
    assert run(scheduler, time, hours=19) == 1
    assert run(scheduler, time, hours=2) == 0


@pytest.mark.parametrize(
    "made", ["<p>Words & <b>more</b></p>", report(), Mail(to="x@x.example", subject="Ours", html="<p>x</p>")]
)
def test_what_a_function_may_return(
    scheduler: EmailScheduler, time: Time, inbox: Inbox, made: object
) -> None:
    scheduler.schedule_daily_report("daily", CISO, lambda: made)  # type: ignore[arg-type, return-value]
    assert run(scheduler, time, days=1) == 1
    (mail,) = inbox.mails()
    assert mail.recipients == (CISO,)


@pytest.mark.parametrize(
    ("make", "says"),
    [(lambda: 1 / 0, "ZeroDivisionError"), (lambda: None, "NoneType"), (lambda: " ", "returned str")],
)
def test_a_function_that_fails_is_tried_again_and_then_disabled(
    service: EmailService, time: Time, make: object, says: str
) -> None:
    store = MemorySchedules()
    scheduler = EmailScheduler(service, store=store, clock=time, background=False)
    scheduler.schedule_daily_report("daily", CISO, make)  # type: ignore[arg-type]
    for _ in range(24 * 8):
        run(scheduler, time, minutes=30)
    (entry,) = scheduler.list_schedules()
    assert entry["enabled"] is False
    assert says in str(entry["disabled_because"])
    assert len(store.fires("daily")) == MOST_FAILURES
    assert {fire.state for fire in store.fires("daily")} == {FireState.FAILED}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a b", [CISO], str), "name has"),
        (("daily", ["nobody"], str), "not a plain address"),
        (("daily", [], str), "where it goes"),
        (("daily", [CISO], str, 24), "hour is"),
        (("daily", [CISO], str, 9, 60), "minute is"),
        (("daily", [CISO], "report"), "must be a function"),
    ],
)
def test_what_cannot_be_scheduled(
    scheduler: EmailScheduler, arguments: tuple[object, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        scheduler.schedule_daily_report(*arguments)  # type: ignore[arg-type]
    assert scheduler.list_schedules() == []


def test_two_processes_on_one_database_send_each_report_once_and_nothing_is_pickled(
    service: EmailService, time: Time, inbox: Inbox, tmp_path: Path
) -> None:
    migrate(f"sqlite:///{tmp_path}/countersign.db")
    opened = [Stores.open(f"sqlite:///{tmp_path}/countersign.db") for _ in range(2)]
    schedulers = [
        EmailScheduler(service, store=stores.schedules, clock=time, background=False) for stores in opened
    ]
    held = threading.Lock()  # nothing that pickle could keep
    for scheduler in schedulers:
        scheduler.schedule_daily_report("daily", CISO, lambda: f"<p>{held}</p>")
    for _ in range(3):
        time.now += timedelta(days=1)
        threads = [threading.Thread(target=scheduler.run_pending) for scheduler in schedulers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(inbox.mails()) == 3
    for stores in opened:
        stores.close()


def test_a_process_without_the_function_leaves_it_to_another(
    service: EmailService, time: Time, inbox: Inbox
) -> None:
    store = MemorySchedules()
    without, having = (EmailScheduler(service, store=store, clock=time, background=False) for _ in range(2))
    having.schedule_daily_report("daily", CISO, lambda: "<p>x</p>")
    run(without, time, hours=21)
    assert inbox.mails() == ()
    run(having, time, minutes=5)
    assert len(inbox.mails()) == 1


def test_the_guides_example_sends_by_itself(service: EmailService, inbox: Inbox) -> None:
    arrived = threading.Event()
    real = datetime.now(UTC)
    soon = datetime(2026, 11, 23, 8, 59, 59, tzinfo=UTC)
    with EmailScheduler(service, clock=lambda: soon + (datetime.now(UTC) - real)) as scheduler:

        def make() -> str:
            arrived.set()
            return "<p>x</p>"

        scheduler.schedule_daily_report("daily", CISO, make)
        assert arrived.wait(20)
    assert len(inbox.mails()) == 1
