"""`countersign report findings | compare | trend`: what became of findings from report to report."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.console import one_line_errors, open_stores, print_json, print_table

if TYPE_CHECKING:
    from audit.lifecycle import Comparison, Portion, TrackedFinding, TrendPoint
    from audit.ports import FindingTracker

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
_NONE = "-"


def register(app: typer.Typer) -> None:
    """Add the commands to those of `report`."""
    app.command("findings")(findings)
    app.command("compare")(compare)
    app.command("trend")(trend)


def findings(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORDS]...",
            help="severity:critical account:ID region:NAME check:ID status:new|open|fixed|regressed|excepted|all overdue, or any text.",
        ),
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Search the findings as they stand: worst first, then the longest open."""
    from audit.finding_query import parse_query
    from remediation.service import utc_now

    with one_line_errors(), _tracker() as tracker:
        page = tracker.search(parse_query(words or []), now=utc_now(), offset=offset, limit=limit)
    if as_json:
        items = [_to_dict(item) for item in page.items]
        print_json({"total": page.total, "offset": offset, "findings": items})
        return
    rows = [
        (
            item.finding.handle,
            item.finding.severity.value,
            item.state.value + (" (overdue)" if item.is_overdue else ""),
            f"{item.opened_at:%Y-%m-%d}",
            f"{item.due_at:%Y-%m-%d}" if item.due_at else _NONE,
            item.finding.account_id or _NONE,
            item.finding.title,
            item.finding.resource,
        )
        for item in page.items
    ]
    columns = ("Finding", "Severity", "Status", "Since", "Due", "Account", "Title", "Resource")
    print_table(columns, rows, empty="No finding matches.")
    if page.total > len(page.items):
        typer.echo(f"{offset + len(page.items)} of {page.total}; --offset shows more", err=True)


def compare(
    before: Annotated[str, typer.Argument(help="The earlier report's id, or its beginning.")],
    after: Annotated[str, typer.Argument(help="The later one's; “latest” is the newest.")] = "latest",
    *,
    limit: Annotated[
        int, typer.Option(min=0, max=1000, help="How many of the worst to list of each kind.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two reports."""
    with one_line_errors(), _tracker() as tracker:
        found = tracker.compare(before, after, limit=limit)
    portions = _portions(found)
    if as_json:
        print_json(
            {
                "before": found.before.report_id,
                "after": found.after.report_id,
                **{
                    name: {"count": each.count, "worst": [finding.to_record() for finding in each.worst]}
                    for name, each in portions.items()
                },
            }
        )
        return
    counts = ", ".join(f"{name.replace('_', ' ')} {each.count}" for name, each in portions.items())
    typer.echo(f"{found.before.report_id} to {found.after.report_id}: {counts}")
    rows = [
        (finding.handle, name.replace("_", " "), finding.severity.value, finding.title, finding.resource)
        for name, each in portions.items()
        for finding in each.worst
    ]
    print_table(("Finding", "What", "Severity", "Title", "Resource"), rows, empty="Nothing fails in either.")


def trend(
    report: Annotated[
        str, typer.Argument(help="The last report of the row; “latest” is the newest.")
    ] = "latest",
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many reports at most.")] = 20,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="PATH", help="Write a chart as PNG, too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what fails, the score and the time to fix, over the reports of one scanner on one account."""
    with one_line_errors(), _tracker() as tracker:
        points = tracker.trend(limit, report_id=report)
        if picture:
            from exporters.trend_chart import draw_trend

            picture.write_bytes(draw_trend(points, name=points[-1].name))
    if as_json:
        print_json([_point_to_dict(point) for point in points])
        return
    rows = [
        (
            point.report_id,
            f"{point.at:%Y-%m-%d %H:%M}",
            *(str(count) for count in point.failing.values()),
            _NONE if point.score is None else f"{point.score:g}",
            _days(point),
        )
        for point in points
    ]
    columns = (
        "Report",
        "Date (UTC)",
        "Critical",
        "High",
        "Medium",
        "Low",
        "Info",
        "Score",
        "Mean time to fix",
    )
    print_table(columns, rows, empty="No reports yet: countersign report ingest FILE")


@contextmanager
def _tracker() -> Iterator["FindingTracker"]:
    """Open the findings with the configured due dates, everything that was read in worked in."""
    from bot.config import read_config
    from bot.settings import Settings
    from remediation.service import utc_now

    path = Settings.from_environment().countersign_config
    with open_stores() as stores:
        tracker = stores.tracker.with_sla(read_config(path).sla.to_sla()) if path else stores.tracker
        while tracker.is_behind():
            tracker.catch_up(utc_now())
        yield tracker


def _portions(found: "Comparison") -> "Mapping[str, Portion]":
    return {
        "new": found.new,
        "regressed": found.regressed,
        "still_open": found.still_open,
        "fixed": found.fixed,
        "not_looked_at": found.unseen,
    }


def _to_dict(item: "TrackedFinding") -> dict[str, object]:
    times = (
        "first_seen_at",
        "last_seen_at",
        "opened_at",
        "due_at",
        "fixed_at",
        "regressed_at",
        "excepted_until",
    )
    return {
        **item.finding.to_record(),
        "fingerprint": item.finding.fingerprint,
        "state": item.state.value,
        "is_overdue": item.is_overdue,
        **{name: value.isoformat() if (value := getattr(item, name)) else None for name in times},
        "fixed_by": item.fixed_by or None,
        "regressed_from": item.regressed_from or None,
        "fix_evidence": dict(item.evidence),
    }


def _point_to_dict(point: "TrendPoint") -> dict[str, object]:
    mean = point.mean_time_to_fix
    return {
        "report_id": point.report_id,
        "name": point.name,
        "at": point.at.isoformat(),
        "failing": {severity.lower(): count for severity, count in point.failing.items()},
        "score": point.score,
        "mean_time_to_fix_s": None if mean is None else int(mean.total_seconds()),
    }


def _days(point: "TrendPoint") -> str:
    from audit.wording import span_words

    return span_words(point.mean_time_to_fix) if point.mean_time_to_fix else _NONE
