"""The `countersign` command. Exit codes: 0 done, 1 failed, 2 wrong usage."""

import typer

from bot.commands import audit, database, doctor, playbook, report, running, schedule, trail
from bot.commands.console import run

app = typer.Typer(
    name="countersign",
    help="Carries a cloud-security finding from found to fixed and proven, with a second person's signature.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.add_typer(report.app, name="report")
app.add_typer(playbook.app, name="playbook")
app.add_typer(schedule.app, name="schedule")
app.add_typer(audit.app, name="audit")
app.add_typer(trail.app, name="trail")
app.add_typer(database.db, name="db")
app.add_typer(database.config, name="config")
app.command("serve")(running.serve)
app.command("demo")(running.demo)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line."""
    run(app)
