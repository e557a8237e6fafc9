"""`countersign report pull …`: findings straight from a service that has them."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.console import SHELL, one_line_errors, open_stores, print_json

if TYPE_CHECKING:
    from audit.ports import Ingested
    from audit.pulling import PullRequest

app = typer.Typer(help="Fetch findings from a service that has them.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Fetch findings from a service that has them."""


@app.command("aws")
def aws(  # noqa: PLR0913 - an option each
    *,
    region: Annotated[str, typer.Option(metavar="REGION", help="Where to ask Security Hub.")] = "",
    account: Annotated[str, typer.Option(metavar="ID", help="Whose; our own account if left out.")] = "",
    severity: Annotated[
        list[str] | None,
        typer.Option(metavar="SEVERITY", help="Only findings of this severity; once for each."),
    ] = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="Archived findings, too; they come muted.")
    ] = False,
    since_days: Annotated[int, typer.Option(metavar="DAYS", help="Only what changed in so many days.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Fetch Security Hub's findings into a report. One that was interrupted goes on where it stopped."""
    from audit.findings import Severity
    from audit.pulling import PullRequest

    with one_line_errors():
        request = PullRequest(
            region=region,
            account_id=account,
            severities=tuple(map(Severity.parse, severity or ())),
            with_archived=archived,
            since_days=since_days,
        )
        done = _pull(request)
    _say(done, as_json=as_json)


def _pull(request: "PullRequest") -> "Ingested":
    from datetime import UTC, datetime

    from bot.commands.audit import aws_clients
    from bot.progress import make_progress
    from bot.pulling import pull

    with open_stores() as stores, make_progress() as progress:
        task = progress.add_task("Security Hub", total=None)
        return pull(
            aws_clients(),
            request,
            pulls=stores.pulls,
            reports=stores.reports,
            actor=SHELL,
            now=datetime.now(UTC),
            say=lambda pages: progress.update(task, description=f"Security Hub: {pages} pages"),
        )


def _say(done: "Ingested", *, as_json: bool) -> None:
    header = done.header
    if as_json:
        print_json(
            {
                "report_id": header.report_id,
                "is_new": done.is_new,
                "summary": header.summary,
                "rejected": list(header.rejected),
            }
        )
        return
    news = "" if done.is_new else " (the very same were here before; nothing changed)"
    typer.echo(f"{header.report_id}: {header.summary['total_findings']} findings from {header.name}{news}")
    for reason in header.rejected:
        typer.echo(f"  left out: {reason}", err=True)
