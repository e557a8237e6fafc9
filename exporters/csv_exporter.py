"""The specification's `CSVExporter`."""

from collections.abc import Callable, Iterable, Mapping
from os import fspath

from audit.findings import FindingDict
from exporters.csv_cells import CsvStyle
from exporters.csv_columns import fields_named
from exporters.csv_writer import (
    BY_SEVERITY,
    write_csv,
    write_matrix,
    write_summary,
    write_tracker,
)
from exporters.header import read_compliance
from exporters.notice import Notice, log_rejected
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource, checked, worst_first
from exporters.writing import AnyPath, replacing

Findings = Iterable[Mapping[str, object]]


class CSVExporter:
    """Writes tables for spreadsheets, and with `raw` for machines.

    Every method writes its file atomically and returns the path. Findings may be any iterable, read once. One that is malformed
    is left out and named to `on_rejected`, by default as a warning in the log.

    Args:
        delimiter: comma, semicolon, tab or bar.
        raw: the data as it is: no byte order mark, no formula guard, no limit to a cell.
        on_rejected: gets one line per thing left out.

    Raises:
        InputError: every method, where the path cannot be written or the input is no list of findings.
    """

    def __init__(
        self, *, delimiter: str = ",", raw: bool = False, on_rejected: Notice = log_rejected
    ) -> None:
        self._style = CsvStyle(delimiter=delimiter, raw=raw)
        self._on_rejected = on_rejected

    def export_findings_to_csv(
        self, findings: Findings, output_path: AnyPath, include_fields: Iterable[str] | None = None
    ) -> str:
        """Write a row per finding, in the given order, with the specification's columns or those named."""
        fields = fields_named(include_fields)
        return self._table(
            findings,
            output_path,
            lambda records, out: write_csv(records, out, fields=fields, style=self._style),
        )

    def export_report_summary_to_csv(self, report_data: Mapping[str, object], output_path: AnyPath) -> str:
        """Write the report's summary, a row per number."""
        source = ReportSource.from_data(report_data)
        with replacing(output_path) as out:
            write_summary(source, out, style=self._style)
        return fspath(output_path)

    def export_findings_by_severity_to_csv(self, findings: Findings, output_path: AnyPath) -> str:
        """Write a row per finding, worst first, the severity in the first column. Holds the findings to sort them."""
        return self._table(
            findings,
            output_path,
            lambda records, out: write_csv(worst_first(records), out, fields=BY_SEVERITY, style=self._style),
        )

    def export_compliance_summary_to_csv(
        self, compliance_data: Mapping[str, object], output_path: AnyPath
    ) -> str:
        """Write the compliance matrix, a row per framework."""
        matrix = read_compliance(compliance_data, self._on_rejected)
        with replacing(output_path) as out:
            write_matrix(matrix, out, style=self._style)
        return fspath(output_path)

    def export_remediation_tracker_to_csv(self, findings: Findings, output_path: AnyPath) -> str:
        """Write a row per finding to be fixed, with empty columns for status, assignee, due date and notes."""
        return self._table(
            findings, output_path, lambda records, out: write_tracker(records, out, style=self._style)
        )

    def _table(
        self,
        findings: Findings,
        output_path: AnyPath,
        write: Callable[[Iterable[FindingDict], ByteSink], Written],
    ) -> str:
        with replacing(output_path) as out:
            written = write(checked(findings, self._on_rejected), out)
        for reason in written.reasons:
            self._on_rejected(reason)
        return fspath(output_path)
