"""The specification's `JSONExporter`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from io import BytesIO

from exporters.clock import Clock, utc_now
from exporters.header import read_compliance
from exporters.json_document import JsonDocument
from exporters.json_writer import keeper, write_json
from exporters.notice import Notice, log_rejected
from exporters.outcome import ByteSink, Passage
from exporters.pipelines import write_pipeline
from exporters.source import ReportSource, checked
from exporters.writing import AnyPath, write_whole


class JSONExporter:
    """Writes reports as JSON for programs: APIs, pipelines, archives.

    Every method returns the JSON text, and writes the same bytes atomically where a path is given. Malformed findings are left
    out and named: in the report's `errors`, and by `export_findings` to `on_rejected`.

    Args:
        clock: gives the time of the export, aware.
        on_rejected: gets one line per finding that a bare list cannot name itself; by default a warning in the log.

    Raises:
        InputError: every method, where the path cannot be written or the input is no report.
    """

    def __init__(self, *, clock: Clock = utc_now, on_rejected: Notice = log_rejected) -> None:
        self._clock = clock
        self._on_rejected = on_rejected

    def export_report(
        self,
        report_data: Mapping[str, object],
        output_path: AnyPath | None = None,
        pretty: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> str:
        """Return the whole report: metadata, summary, findings, compliance, recommendations, errors if any."""
        source = self._source(report_data)
        return _text(lambda out: write_json(source, out, now=self._clock(), pretty=pretty), output_path)

    def export_findings(
        self,
        findings: Iterable[Mapping[str, object]],
        output_path: AnyPath | None = None,
        pretty: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> str:
        """Return the findings with their number: `{"metadata": …, "total_findings": …, "findings": […]}`."""

        def write(out: ByteSink) -> None:
            document, passage = JsonDocument(out, pretty=pretty), Passage()
            document.member("metadata", self._metadata())
            records = checked(findings, self._on_rejected)
            document.array("findings", passage.each(records, document.item))
            document.member("total_findings", passage.written().findings)
            document.close()
            for reason in passage.lines():
                self._on_rejected(reason)

        return _text(write, output_path)

    def export_compliance_summary(
        self,
        compliance_data: Mapping[str, object],
        output_path: AnyPath | None = None,
        pretty: bool = True,  # noqa: FBT001, FBT002 - the specification's signature
    ) -> str:
        """Return the compliance matrix by framework."""
        matrix = read_compliance(compliance_data, self._on_rejected)

        def write(out: ByteSink) -> None:
            document = JsonDocument(out, pretty=pretty)
            document.member("metadata", self._metadata())
            document.member("compliance", matrix)
            document.close()

        return _text(write, output_path)

    def export_for_api_integration(
        self,
        report_data: Mapping[str, object],
        include_fields: Collection[str] | None = None,
        exclude_fields: Collection[str] | None = None,
    ) -> str:
        """Return the report, compact, each finding with only the fields asked for."""
        source, keep = self._source(report_data), keeper(include_fields, exclude_fields)
        return _text(lambda out: write_json(source, out, now=self._clock(), keep=keep))

    def export_for_pipeline(self, report_data: Mapping[str, object], pipeline_type: str = "generic") -> str:
        """Return what a pipeline reads: `generic`, `github`, `gitlab` or `jenkins`.

        Raises:
            InputError: no such pipeline; lists them.
        """
        source = ReportSource.from_data(report_data, now=self._clock())
        return _text(lambda out: write_pipeline(pipeline_type, source, out, now=self._clock()))

    def _source(self, report_data: Mapping[str, object]) -> ReportSource:
        return ReportSource.from_data(report_data, now=self._clock(), keep_order=True)

    def _metadata(self) -> dict[str, str]:
        return {"exported_at": self._clock().isoformat(timespec="seconds"), "export_format": "json"}


def _text(write: Callable[[ByteSink], object], output_path: AnyPath | None = None) -> str:
    """Collect what is written; beside the text returned there is one passing copy of it as bytes."""
    buffer = BytesIO()
    write(buffer)
    content = buffer.getbuffer()
    if output_path is not None:
        write_whole(output_path, content)
    return str(content, "utf-8")
