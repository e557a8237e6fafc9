"""`countersign schedule …`: the words of `/schedule`, at a shell. The served bot does the sending."""

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.console import SHELL, one_line_errors, open_stores, print_json, print_table

if TYPE_CHECKING:
    from exporters.schedules import Fire, Schedule
    from exporters.scheduling import Scheduling
    from storage import Stores

app = typer.Typer(help="Send digests and fetch findings by themselves.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name, such as s-1a2b3c.")]
Rest = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ZONE] [CHANNEL] [ADDRESS]… [FORMAT] [account:ID] [pull aws …]",
        help="A time zone (UTC if left out), a channel's id as #C0123, addresses, what is attached, account:ID for a digest of that one alone; in any order. "
        "Behind `pull` stands what is fetched, such as aws eu-central-1 critical.",
    ),
]
Time = Annotated[str, typer.Argument(metavar="TIME", help="Such as 09:00.")]
_NEXT = 3


@app.command("list")
def list_schedules(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """List the schedules, and what became of each last."""
    with one_line_errors(), open_stores() as stores:
        found = [(schedule, _last(stores, schedule)) for schedule in stores.schedules.all()]
    if as_json:
        print_json([_to_dict(schedule, last) for schedule, last in found])
        return
    rows = [
        (
            schedule.schedule_id,
            schedule.cadence.describe(),
            schedule.purpose,
            f"{schedule.next_at:%Y-%m-%d %H:%M}" if schedule.is_active else "paused",
            f"{last.state.value} {last.error}".strip() if last else "",
        )
        for schedule, last in found
    ]
    columns = ("Schedule", "When", "What", "Next (UTC)", "Last")
    print_table(
        columns, rows, empty="Nothing is scheduled: countersign schedule daily 09:00 ciso@company.com"
    )


@app.command("daily")
def daily(time: Time, rest: Rest = None) -> None:
    """Send a digest, or fetch findings, every day."""
    _make("daily", [time, *(rest or [])])


@app.command("weekly")
def weekly(
    day: Annotated[str, typer.Argument(metavar="DAY", help="Such as monday.")], time: Time, rest: Rest = None
) -> None:
    """Send a digest, or fetch findings, once a week."""
    _make("weekly", [day, time, *(rest or [])])


@app.command("cron")
def cron(
    line: Annotated[str, typer.Argument(metavar="LINE", help="Five fields in quotes; 0 and 7 are Sunday.")],
    rest: Rest = None,
) -> None:
    """Send a digest, or fetch findings, by a crontab line."""
    _make("cron", [line, *(rest or [])])


@app.command("pause")
def pause(name: Name) -> None:
    """Send nothing until it is resumed."""
    with one_line_errors(), open_stores() as stores:
        _scheduling(stores).pause(name, SHELL)
    typer.echo(f"{name} is paused.")


@app.command("resume")
def resume(name: Name) -> None:
    """Send again, from now on."""
    with one_line_errors(), open_stores() as stores:
        _show(_scheduling(stores).resume(name, SHELL))


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a schedule."""
    with one_line_errors(), open_stores() as stores:
        _scheduling(stores).remove(name, SHELL)
    typer.echo(f"{name} is removed.")


@app.command("run")
def run(name: Name) -> None:
    """Have the running bot send it once now."""
    with one_line_errors(), open_stores() as stores:
        _scheduling(stores).run_now(name, SHELL, key=uuid.uuid4().hex)
    typer.echo(f"{name} is run by the running bot within seconds.")


def _make(every: str, words: list[str]) -> None:
    from audit.ports import LATEST
    from exporters.formats import EXPORT_FORMATS
    from exporters.schedule_words import read_schedule

    with one_line_errors(), open_stores() as stores:
        typed = read_schedule(every, words, formats=EXPORT_FORMATS)
        if typed.account:
            stores.reports.header(LATEST, account=typed.account)
        wish = typed.to_wish(f"s-{uuid.uuid4().hex[:6]}", channel=typed.channel)
        _show(_scheduling(stores).add(wish, SHELL))


def _show(schedule: "Schedule") -> None:
    typer.echo(f"{schedule.schedule_id}: {schedule.cadence.describe()}, {schedule.purpose}")
    for slot in schedule.cadence.upcoming(schedule.watermark, _NEXT):
        typer.echo(f"  {slot.at:%Y-%m-%d %H:%M} UTC")


def _scheduling(stores: "Stores") -> "Scheduling":
    from exporters.scheduling import Scheduling
    from remediation.service import utc_now

    return Scheduling(store=stores.schedules, clock=utc_now)


def _last(stores: "Stores", schedule: "Schedule") -> "Fire | None":
    return next(iter(stores.schedules.fires(schedule.schedule_id, 1)), None)


def _to_dict(schedule: "Schedule", last: "Fire | None") -> dict[str, object]:
    return {
        "schedule_id": schedule.schedule_id,
        "kind": schedule.kind.value,
        "cron": schedule.cadence.cron,
        "time_zone": schedule.cadence.zone,
        "channel": schedule.channel,
        "recipients": list(schedule.recipients),
        "format": schedule.format,
        "source": schedule.source,
        "owner": schedule.owner.to_dict(),
        "created_at": schedule.created_at.isoformat(),
        "active": schedule.is_active,
        "paused_because": schedule.paused_because,
        "failures": schedule.failures,
        "next_at": schedule.next_at.isoformat() if schedule.is_active else None,
        "last": {
            "due_at": last.due_at.isoformat(),
            "state": last.state.value,
            "missed": last.missed,
            "attempts": last.attempts,
            "error": last.error,
        }
        if last
        else None,
    }
