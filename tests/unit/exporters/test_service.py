"""The use case against a small store: what is handed over, what is recorded, and in which order."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from audit.actor import Actor
from audit.errors import InputError, NotFoundError, TrailError
from audit.findings import FindingDict
from audit.report import ReportHeader
from audit.trail import TrailEntry, TrailEvent, append
from exporters.formats import EXPORT_FORMATS
from exporters.ports import ExportedFile
from exporters.service import ExportRequest, ExportService, file_name, open_report
from exporters.source import ReportSource
from exporters.writing import FileDelivery
from tests.unit.exporters.samples import NOW, report

ALICE = Actor(slack_id="U1", email="alice@northwind.example")


class OneReport:
    """A store that holds the sample report."""

    def __init__(self, *others: ReportHeader) -> None:
        self._source = ReportSource.from_data(report(), now=NOW)
        self._others = others

    def header(self, report_id: str = "latest", *, account: str = "") -> ReportHeader:
        if report_id not in {"latest", "rep-7"}:
            raise NotFoundError(f"no report goes by {report_id}")
        return self._source.header

    def stream_findings(self, report_id: str) -> Iterator[FindingDict]:
        assert report_id == "rep-7"
        return self._source.records()

    def list_reports(self, limit: int = 20) -> list[ReportHeader]:
        return [self._source.header, *self._others][:limit]


@dataclass
class Log:
    """A trail and a delivery that remember the order of things."""

    is_broken: bool = False
    happened: list[str] = field(default_factory=list)
    events: list[TrailEvent] = field(default_factory=list)
    files: list[tuple[ExportedFile, bytes]] = field(default_factory=list)

    def record(self, event: TrailEvent) -> TrailEntry:
        if self.is_broken:
            raise TrailError("the trail cannot be written")
        self.happened.append(event.kind)
        self.events.append(event)
        return append(None, event)

    def deliver(self, file: ExportedFile) -> None:
        self.happened.append("delivered")
        self.files.append((file, file.content.read()))


def service(log: Log) -> ExportService:
    return ExportService(reports=OneReport(), trail=log, clock=lambda: NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_every_format_goes_from_the_store_to_the_delivery(name: str) -> None:
    log = Log()
    receipt = service(log).export(ExportRequest(format=name, actor=ALICE), log)
    ((file, content),) = log.files
    assert file.name == receipt.name == f"northwind-production-2026-11-24{EXPORT_FORMATS[name].suffix}"
    assert file.size == len(content) == receipt.size > 0
    assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_it_is_recorded_before_it_is_handed_over() -> None:
    log = Log()
    service(log).export(ExportRequest(format="json", actor=ALICE, destination="#security"), log)
    assert log.happened == ["report.exported", "delivered"]
    (event,) = log.events
    assert (event.actor, event.at, event.subject) == (ALICE, NOW, "rep-7")
    assert event.detail["destination"] == "#security"
    assert event.detail["sha256"] == log.files[0][0].sha256


def test_what_cannot_be_recorded_is_not_handed_over() -> None:
    log = Log(is_broken=True)
    with pytest.raises(TrailError):
        service(log).export(ExportRequest(format="json", actor=ALICE), log)
    assert log.files == []


@pytest.mark.parametrize(
    "request_",
    [ExportRequest(format="docx", actor=ALICE), ExportRequest(format="json", actor=ALICE, report_id="x")],
)
def test_what_cannot_be_exported_leaves_no_trace(request_: ExportRequest) -> None:
    log = Log()
    with pytest.raises(InputError):
        service(log).export(request_, log)
    assert log.happened == []


def test_a_hostile_destination_can_be_recorded() -> None:
    log = Log()
    service(log).export(ExportRequest(format="json", actor=ALICE, destination="\ud800"), log)
    assert log.events[0].to_bytes()


def test_delivery_to_a_path(tmp_path: Path) -> None:
    service(Log()).export(ExportRequest(format="json", actor=ALICE), FileDelivery(tmp_path / "r.json"))
    assert len(json.loads((tmp_path / "r.json").read_bytes())["findings"]) == 6


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("northwind", "northwind-2026-11-24.html"),
        ("../../etc/passwd", "etc-passwd-2026-11-24.html"),
        ("Größe & 中文 $(rm)", "gr-e-rm-2026-11-24.html"),
        ("***", "report-2026-11-24.html"),
        ("x" * 300, "x" * 80 + "-2026-11-24.html"),
    ],
)
def test_a_file_name_is_safe_everywhere(name: str, expected: str) -> None:
    header = replace(ReportSource.from_data(report(), now=NOW).header, name=name)
    assert file_name(header, ".html") == expected


def test_earlier_reports_about_the_same_come_along() -> None:
    header = OneReport().header()
    week = timedelta(days=7)
    older = replace(header, report_id="rep-5", generated_at=header.generated_at - 2 * week)
    old = replace(header, report_id="rep-6", generated_at=header.generated_at - week)
    later = replace(header, report_id="rep-8", generated_at=header.generated_at + week)
    other = replace(old, report_id="rep-x", source="ScoutSuite")
    source = open_report(OneReport(later, other, old, older))  # type: ignore[arg-type]
    assert [entry.report_id for entry in source.earlier] == ["rep-5", "rep-6"]
