"""`countersign playbook …`: look at playbooks, plan with them, ask for them. Approving is done in Slack."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands import executions, permissions
from bot.commands.console import one_line_errors, open_stores, print_json, print_table

if TYPE_CHECKING:
    from remediation import RemediationPlaybook
    from remediation.batches import Batch

app = typer.Typer(help="Look at playbooks, plan with them, ask for them.", no_args_is_help=True)
PlaybookId = Annotated[str, typer.Argument(help="The playbook's id, such as AWS-PUBLIC-S3.")]
FindingName = Annotated[str, typer.Argument(help="The finding's handle (f-…) or the scanner's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
app.command("permissions")(permissions.print_permissions)
app.command("pending")(executions.list_pending)
app.command("history")(executions.list_history)
app.command("status")(executions.show_status)


@app.command("list")
def list_playbooks(*, as_json: AsJson = False) -> None:
    """List the playbooks."""
    with one_line_errors():
        books = _all_or_one(None)
    if as_json:
        print_json([book.to_dict() for book in books])
        return
    rows = [(book.playbook_id, book.name, book.finding_category, book.severity.value) for book in books]
    print_table(("ID", "Name", "Category", "Severity"), rows, empty="No playbooks.")


@app.command("show")
def show_playbook(playbook_id: PlaybookId, *, as_json: AsJson = False) -> None:
    """Show what a playbook does."""
    with one_line_errors():
        book = _playbook(playbook_id)
    if as_json:
        print_json(book.to_dict())
        return
    typer.echo(f"{book.playbook_id}: {book.name}\n{book.description}\n")
    typer.echo(f"Approval: {'by a second person' if book.requires_approval else 'by the policy'}")
    typer.echo(f"Rollback: {'yes' if book.rollback_enabled else 'no'}")
    typer.echo("Answers:  " + (", ".join(book.checks) or "no check by name"))
    for step in book.actions:
        typer.echo(f"Step:     {step.action_name} ({step.action_type})")


@app.command("plan")
def plan(playbook_id: PlaybookId, finding: FindingName, *, as_json: AsJson = False) -> None:
    """Read the resource and show exactly what would change. Changes nothing, stores nothing."""
    from bot.config import read_config
    from bot.planning import make_planner
    from bot.settings import Settings
    from remediation.actions.contract import show_value

    with one_line_errors(), open_stores() as stores:
        settings = Settings.from_environment()
        planner = make_planner(settings, read_config(settings.countersign_config))
        drawn = planner.draw_up(_playbook(playbook_id), stores.reports.find(finding))
    if as_json:
        print_json({**drawn.to_dict(), "digest": drawn.digest})
        return
    rows = [
        (action.target.resource, change.setting, show_value(change.before), show_value(change.after))
        for action in drawn.actions
        for change in action.changes()
    ]
    print_table(("Resource", "Setting", "Now", "Then"), rows, empty="Nothing would change.")


@app.command("lint")
def lint(files: Annotated[list[Path], typer.Argument(help="Playbook files.")]) -> None:
    """Say what is wrong with playbook files, line by line. Exit 1 if anything is."""
    from audit.errors import InputError
    from bot.playbooks import lint_file, registry_at_hand

    with one_line_errors():
        registry = registry_at_hand()
    wrong = 0
    for path in files:
        try:
            said = [f"{path}:{mistake.line}: {mistake.text}" for mistake in lint_file(path, registry)]
        except InputError as error:
            said = [f"{path}: {error}"]
        wrong += len(said)
        for line in said:
            typer.echo(line, err=True)
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"{len(files)} checked, nothing wrong.")


@app.command("schema")
def print_schema() -> None:
    """Print a JSON Schema of playbook files, for editors."""
    from bot.playbooks import registry_at_hand
    from remediation.playbook_schema import playbook_schema

    with one_line_errors():
        schema = playbook_schema(registry_at_hand())
    print_json(schema)


@app.command("exceptions")
def list_exceptions(*, as_json: AsJson = False) -> None:
    """List the findings that are left as they are, until when, and who answers for that. Ending one is done in Slack."""
    from remediation.excepting import about, describe_end

    with one_line_errors(), open_stores() as stores:
        exceptions = stores.exceptions.open()
    if as_json:
        print_json([dict(about(each)) for each in exceptions])
        return
    rows = [
        (
            each.exception_id,
            each.finding.handle,
            each.finding.title,
            describe_end(each),
            each.owner.label,
            each.reason,
        )
        for each in exceptions
    ]
    print_table(("ID", "Finding", "Title", "Until", "Owner", "Reason"), rows, empty="No exceptions.")


@app.command("run")
def run(
    playbook_id: PlaybookId,
    findings: Annotated[
        list[str],
        typer.Argument(
            metavar="FINDING...",
            help="Handles (f-…) or the scanner's ids, or words to search for, such as severity:critical.",
        ),
    ],
    email: Annotated[str, typer.Option("--as", help="Your email address, as Slack knows it.")],
) -> None:
    """Ask for a fix, or for several on one card. It appears in the configured channel, where somebody else approves it."""
    from bot.asking import ask_from_shell, ask_many_from_shell
    from remediation.choosing import are_many

    with one_line_errors(), open_stores() as stores:
        if are_many(findings):
            _print_batch(ask_many_from_shell(stores, _playbook(playbook_id), findings, email=email))
            return
        execution = ask_from_shell(
            stores, _playbook(playbook_id), stores.reports.find(findings[0]), email=email
        )
        if execution.error:
            typer.echo(f"countersign: {execution.error}", err=True)
            raise typer.Exit(1)
    typer.echo(f"{execution.execution_id}: {execution.status.value}")


def _print_batch(batch: "Batch") -> None:
    typer.echo(f"{batch.batch_id}: {len(batch.execution_ids)} PENDING")
    for each in batch.left_out:
        typer.echo(f"left out: {each.finding} {each.resource}: {each.why}", err=True)


def _playbook(playbook_id: str) -> "RemediationPlaybook":
    from bot.playbooks import playbooks_at_hand
    from remediation.library import find_playbook

    return find_playbook(playbook_id, playbooks_at_hand())


def _all_or_one(playbook_id: str | None) -> "list[RemediationPlaybook]":
    from bot.playbooks import playbooks_at_hand

    if playbook_id is not None:
        return [_playbook(playbook_id)]
    return list(playbooks_at_hand().values())
