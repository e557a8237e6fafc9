"""Our own JSON comes back in as it went out, and the specification's example with it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from audit import AuditReport, Finding, Severity
from audit.errors import InputError, UnknownFormatError
from audit.ingest import Item, Rejected

Read = Callable[[bytes], list[Item]]
NOW = datetime(2026, 2, 7, 10, 30, tzinfo=UTC)
KNOWN = {"id": "F", "title": "t", "severity": "LOW"}


def test_a_report_we_wrote_reads_back_the_same(read_bytes: Read) -> None:
    findings = [
        Finding(
            id="F-1", title="Ü", severity=Severity.HIGH, observed_at=NOW, compliance={"CIS": ("1.1", "2")}
        ),
        Finding(id="F-2", title="two", severity=Severity.INFO, muted=True, resource="arn:aws:s3:::x"),
    ]
    report = AuditReport.of(findings, report_id="R-1", generated_at=NOW)
    assert read_bytes(json.dumps(report.to_dict()).encode()) == findings


def test_a_malformed_finding_is_rejected_by_place_and_the_rest_goes_in(read_bytes: Read) -> None:
    items = read_bytes(json.dumps([KNOWN, {"id": "F-2"}, 7, KNOWN | {"id": "F-4"}]).encode())
    assert [item for item in items if isinstance(item, Rejected)] == [
        Rejected(2, "a finding needs its title"),
        Rejected(3, "a finding must be an object with id, title and severity"),
    ]
    assert [item.id for item in items if isinstance(item, Finding)] == ["F", "F-4"]
    assert str(items[1]) == "finding 2: a finding needs its title"


@pytest.mark.parametrize(
    "content",
    [b"[]", b" [\n] ", b'{"findings": []}', b'{"metadata": {"export_format": "json"}, "findings": []}'],
)
def test_a_report_without_findings_is_a_report(read_bytes: Read, content: bytes) -> None:
    assert read_bytes(content) == []


@pytest.mark.parametrize(
    "content",
    [
        b'{"findings": "none"}',
        b'{"findings": null}',
        b'{"metadata": {"export_format": "json"}}',
        b'{"metadata": {"export_format": "json"}, "findings": {}}',
    ],
)
def test_a_report_without_a_list_of_findings_is_refused(read_bytes: Read, content: bytes) -> None:
    with pytest.raises(InputError, match="holds no list of findings"):
        read_bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b'{"findings": [{"findingArn": "arn", "severity": "LOW", "title": "of another tool"}]}',
        b'{"Findings": [{"id": "1", "title": "t", "severity": "LOW"}]}',
        b'[{"id": 1, "title": "t"}]',
    ],
)
def test_another_tools_findings_are_not_taken_for_ours(read_bytes: Read, content: bytes) -> None:
    with pytest.raises(UnknownFormatError):
        read_bytes(content)


def test_findings_far_behind_a_long_preamble_are_found(read_bytes: Read) -> None:
    report = {
        "metadata": {"export_format": "json"},
        "compliance": {f"framework {n}": {"coverage": 1.5} for n in range(9000)},
        "findings": [KNOWN],
    }
    assert len(read_bytes(json.dumps(report).encode())) == 1


def test_a_report_cut_off_after_its_findings_is_refused(read_bytes: Read) -> None:
    content = b'{"findings": [' + json.dumps(KNOWN).encode() + b'], "compl'
    with pytest.raises(InputError, match=f"cut off: the file ends at byte {len(content)}"):
        read_bytes(content)
