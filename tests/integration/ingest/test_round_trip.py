"""Every scanner's file goes into the database and out again in the formats that others read, valid by their schemas."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from audit.errors import InputError
from audit.ingest import open_members, read_report
from exporters.service import ExportRequest, ExportService
from exporters.writing import FileDelivery
from storage import Stores
from tests.conftest import sample
from tests.databases import stores_at
from tests.fakes.samples import ANALYST, NOW
from tests.unit.audit.ingest.known import KNOWN, PROWLER_CSV
from tests.unit.audit.ingest.test_every_format import SAMPLES
from tests.unit.exporters.samples import Page
from tests.unit.exporters.test_pipelines import check

FORMATS = ("json", "csv", "html", "sarif", "gitlab", "ocsf")
SCHEMAS = {"sarif": "sarif-2.1.0.json", "gitlab": "gitlab-sast.json"}


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    url = f"sqlite:///{tmp_path}/countersign.db"
    opened = stores_at(url)
    yield opened
    opened.close()


def take_in(stores: Stores, content: bytes, name: str) -> int:
    """Store a report, twice; return how many findings it has."""
    found = [
        stores.reports.ingest(read_report(stream, label), actor=ANALYST, now=NOW)
        for _ in range(2)
        for stream, label in open_members(io.BytesIO(content), name)
    ]
    first, again = found
    assert (first.is_new, again.is_new, again.header) == (True, False, first.header)
    assert len(stores.reports.list_reports()) == 1
    assert [orjson.loads(entry.body)["kind"] for entry in stores.trail.stream()] == ["report.ingested"]
    return int(first.header.summary["total_findings"])


def export(stores: Stores, name: str, path: Path) -> bytes:
    service = ExportService(reports=stores.reports, trail=stores.trail, clock=lambda: NOW)
    service.export(ExportRequest(format=name, actor=ANALYST, destination=str(path)), FileDelivery(path))
    return path.read_bytes()


def is_valid(name: str, content: bytes, *, count: int, failing: int) -> None:
    if name == "csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(rows) == count + 1
    elif name == "html":
        page = Page(content.decode())
        assert page.named("html")
        assert not page.attributes("onclick")
    elif name == "ocsf":
        events = orjson.loads(content)
        assert len(events) == count
        for event in events:
            check("ocsf-DetectionFinding-py-ocsf-models-0.10.0.json", event)
    elif name == "json":
        report = orjson.loads(content)
        assert (len(report["findings"]), report.get("errors")) == (count, None)
    else:
        document = orjson.loads(content)
        check(SCHEMAS[name], document)
        results = document["runs"][0]["results"] if name == "sarif" else document["vulnerabilities"]
        assert len(results) == failing


def comes_back_valid(stores: Stores, content: bytes, file: str, *, count: int, folder: Path) -> None:
    assert take_in(stores, content, file) == count
    records = stores.reports.stream_findings("latest")
    failing = sum(record["status"] == "FAIL" and not record.get("muted") for record in records)
    for name in FORMATS:
        is_valid(name, export(stores, name, folder / name), count=count, failing=failing)


@pytest.mark.parametrize("file", SAMPLES)
def test_a_real_report_comes_back_valid(stores: Stores, tmp_path: Path, file: str) -> None:
    comes_back_valid(stores, sample(file).read_bytes(), file, count=SAMPLES[file][1], folder=tmp_path)


@pytest.mark.parametrize("source", KNOWN)
def test_a_small_report_comes_back_valid(stores: Stores, tmp_path: Path, source: str) -> None:
    known = KNOWN[source]
    comes_back_valid(stores, known.content, "report", count=known.count, folder=tmp_path)


@pytest.mark.parametrize("name", ["json", "sarif", "ocsf"])
def test_what_we_wrote_we_read(stores: Stores, tmp_path: Path, name: str) -> None:
    take_in(stores, PROWLER_CSV.replace(b"True", b"False").replace(b"PASS", b"FAIL"), "report.csv")
    before = list(stores.reports.stream_findings("latest"))
    again = [
        item.to_record()  # type: ignore[union-attr]
        for item in read_report(io.BytesIO(export(stores, name, tmp_path / name)), name).items
    ]
    for field in ("id", "title", "severity", "resource", "status", "check_id", "account_id", "region"):
        assert [record.get(field) for record in again] == [record.get(field) for record in before]


@pytest.mark.parametrize("tail", [b"ragged;row\n", b'"never closed\n', b"\xff\n", b"x" * 10**7])
def test_nothing_is_stored_of_a_file_that_fails_as_a_whole(stores: Stores, tail: bytes) -> None:
    many = b"".join(PROWLER_CSV.splitlines(keepends=True)[1:]) * 1500
    with pytest.raises(InputError, match=r"^broken.csv: line 3005: "):
        take_in(stores, PROWLER_CSV + many + b"\n" + tail, "broken.csv")
    assert stores.reports.list_reports() == []
    assert list(stores.trail.stream()) == []
    with stores.database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM findings").scalar_one() == 0
