"""`countersign report …`: take reports in, look at them, hand them on."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands import findings, pull
from bot.commands.console import FAILED, SHELL, one_line_errors, open_stores, print_json, print_table

if TYPE_CHECKING:
    from audit.findings import Severity
    from audit.report import ReportHeader
    from exporters.formats import ExportFormat

app = typer.Typer(help="Take reports in, look at them, hand them on.", no_args_is_help=True)
findings.register(app)
app.add_typer(pull.app, name="pull")
ReportName = Annotated[str, typer.Argument(help="The report's id, its beginning, or “latest”.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command("ingest")
def ingest(
    files: Annotated[
        list[Path],
        typer.Argument(help="What scanners wrote, also packed with gzip or zip; “-” is standard input."),
    ],
    *,
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="Which column of a CSV of your own is which field of a finding; once for each.",
        ),
    ] = None,
) -> None:
    """Take in reports. The content decides the format, not the name."""
    from bot.ingesting import ingest_files, read_columns

    with one_line_errors(), open_stores() as stores:
        columns = read_columns(pairs or [])
        failed = ingest_files(stores.reports, files, actor=SHELL, columns=columns)
    if failed:
        raise typer.Exit(FAILED)


@app.command("list")
def list_reports(*, as_json: AsJson = False) -> None:
    """List reports, newest first."""
    with one_line_errors(), open_stores() as stores:
        headers = stores.reports.list_reports()
    if as_json:
        print_json([_to_dict(header) for header in headers])
        return
    rows = [
        (
            header.report_id,
            header.generated_at.strftime("%Y-%m-%d %H:%M"),
            header.name,
            header.source,
            str(header.summary["total_findings"]),
            *(str(header.summary[level]) for level in ("critical", "high", "medium", "low")),
            _score(header),
        )
        for header in headers
    ]
    columns = (
        "Report",
        "Date (UTC)",
        "Name",
        "Source",
        "Findings",
        "Critical",
        "High",
        "Medium",
        "Low",
        "Score",
    )
    print_table(columns, rows, empty="No reports yet: countersign report ingest FILE")


@app.command("show")
def show_report(report: ReportName = "latest", *, as_json: AsJson = False) -> None:
    """Show a report's summary and what to fix first."""
    with one_line_errors(), open_stores() as stores:
        header = stores.reports.header(report)
    if as_json:
        print_json(_to_dict(header))
        return
    typer.echo(f"{header.report_id}  {header.name}  {header.source}  score {_score(header)}")
    rows = [
        (advice["severity"], str(advice["resources"]), advice["title"]) for advice in header.recommendations
    ]
    print_table(("Severity", "Resources", "Fix first"), rows, empty="Nothing fails.")


@app.command("export")
def export(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="Such as json, csv or html.")],
    report: ReportName = "latest",
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    fail_on: Annotated[
        str, typer.Option(metavar="SEVERITY", help="Exit 1 if a finding of this severity or worse fails.")
    ] = "",
) -> None:
    """Write a report in a format."""
    from audit.findings import Severity
    from exporters.service import ExportRequest, ExportService
    from exporters.writing import FileDelivery
    from remediation.service import utc_now

    with one_line_errors(), open_stores() as stores:
        limit = Severity.parse(fail_on) if fail_on else None
        exports = ExportService(
            reports=stores.reports, trail=stores.trail, clock=utc_now, formats=_dressed_formats()
        )
        request = ExportRequest(format=format_name, actor=SHELL, report_id=report, destination=str(output))
        receipt = exports.export(request, FileDelivery(output))
        header = stores.reports.header(receipt.report_id)
    typer.echo(f"{receipt.findings} findings in {output}")
    for reason in receipt.reasons:
        typer.echo(f"  left out: {reason}", err=True)
    if limit is not None:
        _guard(header, limit)


def _guard(header: "ReportHeader", limit: "Severity") -> None:
    """Exit 1 where something fails that is as bad as the limit, or might be: what could not be read may be anything."""
    failing = _failing_from(header, limit)
    if failing:
        typer.echo(f"countersign: {failing} failing findings of severity {limit} or worse", err=True)
    if header.rejected:
        unread = (
            f"{len(header.rejected)} malformed findings were left out and may be as bad: {header.rejected[0]}"
        )
        typer.echo(f"countersign: {unread}", err=True)
    if failing or header.rejected:
        raise typer.Exit(FAILED)


def _dressed_formats() -> "Mapping[str, ExportFormat]":
    """Return the formats in the configured brand; without a configuration, in ours."""
    from bot.config import read_config
    from bot.settings import Settings
    from bot.style import make_style
    from exporters.formats import export_formats

    settings = Settings.from_environment()
    if settings.countersign_config is None:
        return export_formats()
    return export_formats(make_style(settings, read_config(settings.countersign_config)))


def _failing_from(header: "ReportHeader", limit: "Severity") -> int:
    """Count the failing findings that are as bad as the limit, or worse."""
    from audit.findings import Severity

    counts: Mapping[str, object] = {**header.summary}
    worse = [severity for severity in Severity if severity.rank <= limit.rank]
    return sum(int(str(counts[severity.lower()])) for severity in worse)


@app.command("email")
def email(
    recipients: Annotated[list[str], typer.Argument(help="Email addresses.")],
    report: Annotated[str, typer.Option(help="The report's id, its beginning, or “latest”.")] = "latest",
    format_name: Annotated[str, typer.Option("--format", help="What is attached.")] = "html",
) -> None:
    """Mail a report, with the file attached."""
    from bot.config import read_config
    from bot.mail import make_mail_service
    from bot.settings import Settings
    from exporters.mailing import MailRequest

    with one_line_errors(), open_stores() as stores:
        settings = Settings.from_environment()
        service = make_mail_service(settings, read_config(settings.countersign_config), stores)
        request = MailRequest(recipients=recipients, actor=SHELL, report_id=report, format=format_name)
        sent = service.send(request)
    typer.echo(sent.explain(), err=not sent.is_complete)
    if not sent.is_complete:
        raise typer.Exit(FAILED)


def _score(header: "ReportHeader") -> str:
    score = header.summary["security_score"]
    return "n/a" if score is None else f"{score:g}"


def _to_dict(header: "ReportHeader") -> dict[str, object]:
    return {
        "report_id": header.report_id,
        "name": header.name,
        "source": header.source,
        "generated_at": header.generated_at.isoformat(),
        "summary": header.summary,
        "compliance": header.compliance,
        "recommendations": header.recommendations,
        "rejected": list(header.rejected),
    }
