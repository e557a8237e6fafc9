"""`countersign audit …`: read a live account, and store what was found as a report."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.console import SHELL, one_line_errors, open_stores, print_json

if TYPE_CHECKING:
    from audit.findings import Finding
    from audit.ports import Ingested
    from bot.auditing import AuditRequest
    from remediation.actions.aws.clients import AwsClients

app = typer.Typer(help="Read a live account into a report.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Read a live account into a report."""


@app.command("aws")
def aws(
    *,
    account: Annotated[str, typer.Option(metavar="ID", help="The account's twelve digits.")] = "",
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION", help="A region to read, once for each; all that are enabled if left out."
        ),
    ] = None,
    permissions: Annotated[
        bool, typer.Option("--permissions", help="Instead: print the policy that reading takes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Read an AWS account, judge it, and store the report. Changes nothing in the account."""
    from bot.auditing import AuditRequest, read_policy

    if permissions:
        print_json(read_policy())
        return
    if not account:
        raise typer.BadParameter("name the account to read", param_hint="--account")
    request = AuditRequest(account_id=account, regions=tuple(region or ()))
    with one_line_errors():
        done, unread = _audit(request)
    _say(done, unread, as_json=as_json)


def _audit(request: "AuditRequest") -> "tuple[Ingested, list[Finding]]":
    from datetime import UTC, datetime

    from bot.auditing import audit_account
    from bot.progress import make_progress

    with open_stores() as stores, make_progress() as progress:
        task = progress.add_task(request.account_id, total=None)

        def say(name: str, done: int, of: int) -> None:
            progress.update(task, description=name, completed=done, total=of)

        return audit_account(
            aws_clients(), stores.reports, request, actor=SHELL, now=datetime.now(UTC), say=say
        )


def aws_clients() -> "AwsClients":
    """Return clients as the configuration says, on the default credentials where there is none."""
    from bot.config import read_config
    from bot.settings import Settings
    from remediation.actions.clouds import Clouds

    path = Settings.from_environment().countersign_config
    return (read_config(path).accounts.to_clouds() if path else Clouds()).aws


def _say(done: "Ingested", unread: "list[Finding]", *, as_json: bool) -> None:
    header = done.header
    reasons = list(dict.fromkeys(finding.evidence for finding in unread))
    if as_json:
        print_json(
            {
                "report_id": header.report_id,
                "name": header.name,
                "generated_at": header.generated_at.isoformat(),
                "summary": header.summary,
                "compliance": header.compliance,
                "unread": reasons,
            }
        )
        return
    counts = header.summary
    failing = ", ".join(f"{counts[level]} {level}" for level in ("critical", "high", "medium", "low"))
    typer.echo(f"{header.report_id}: {counts['total_findings']} findings, failing: {failing}")
    for reason in reasons:
        typer.echo(f"  for a person: {reason}", err=True)
