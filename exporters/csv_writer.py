"""The specification's five tables as CSV, streamed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC

from audit.findings import FindingDict
from audit.report import FrameworkDict
from exporters.csv_cells import CsvStyle
from exporters.csv_columns import SPECIFIED, Column, columns_of, head_of
from exporters.outcome import ByteSink, Passage, Written
from exporters.source import ReportSource
from exporters.text import percent

DEFAULT_STYLE = CsvStyle()
BY_SEVERITY = ("severity", *(field for field in SPECIFIED if field != "severity"))
_TRACKER_FIELDS = ("id", "title", "severity", "category", "resource", "remediation")
_TRACKER_BLANKS = ("Status", "Assigned To", "Due Date", "Notes/Comments")
_MATRIX_HEADS = ("Framework", "Coverage", "Controls Covered", "Total Controls", "Status", "Gaps")
_SETTLED = {"PASS"}


def write_csv(
    findings: Iterable[FindingDict],
    out: ByteSink,
    *,
    fields: Iterable[str] = SPECIFIED,
    style: CsvStyle = DEFAULT_STYLE,
) -> Written:
    """Write a row per finding."""
    return _write_table(findings, out, columns=columns_of(fields, style), style=style)


def write_tracker(
    findings: Iterable[FindingDict], out: ByteSink, *, style: CsvStyle = DEFAULT_STYLE
) -> Written:
    """Write a row per finding that is to be fixed or looked at, with empty columns for who does it, and by when.

    What passes, or somebody muted, needs no tracking and is left out.
    """
    blanks = [Column(head, lambda _: b"") for head in _TRACKER_BLANKS]
    columns = [*columns_of(_TRACKER_FIELDS, style), *blanks]
    return _write_table(findings, out, columns=columns, style=style, wanted=_is_to_be_tracked)


def _is_to_be_tracked(record: FindingDict) -> bool:
    return record["status"] not in _SETTLED and not record.get("muted", False)


def _write_table(
    findings: Iterable[FindingDict],
    out: ByteSink,
    *,
    columns: list[Column],
    style: CsvStyle,
    wanted: Callable[[FindingDict], bool] | None = None,
) -> Written:
    out.write(style.beginning + style.row(column.head for column in columns))
    passage, cells = Passage(), [column.cell for column in columns]

    def line(record: FindingDict) -> bytes | None:
        if wanted is not None and not wanted(record):
            return None
        return style.line([cell(record) for cell in cells])

    for row in passage.each(findings, line):
        out.write(row)
    return passage.written()


def write_matrix(
    compliance: Mapping[str, FrameworkDict], out: ByteSink, *, style: CsvStyle = DEFAULT_STYLE
) -> None:
    """Write the compliance matrix, a row per framework."""
    out.write(style.beginning + style.row(_MATRIX_HEADS))
    for name, framework in compliance.items():
        out.write(
            style.row(
                [
                    name,
                    percent(framework["coverage"]),
                    str(framework["controls_covered"]),
                    str(framework["total_controls"]),
                    framework["status"],
                    str(framework["gaps"]),
                ]
            )
        )


def write_summary(source: ReportSource, out: ByteSink, *, style: CsvStyle = DEFAULT_STYLE) -> None:
    """Write the report's summary: a row per number."""
    header = source.header
    rows = {
        "Report": header.name,
        "Generated At": header.generated_at.astimezone(UTC).isoformat(timespec="seconds"),
        **{
            head_of(name).replace("_", " "): "" if value is None else str(value)
            for name, value in header.summary.items()
        },
    }
    out.write(style.beginning + style.row(("Metric", "Value")))
    for row in rows.items():
        out.write(style.row(row))
