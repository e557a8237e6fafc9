"""Detection: the content decides; whatever comes in, the answer is findings or one clear line."""

import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Finding
from audit.errors import CountersignError, InputError, UnknownFormatError
from audit.ingest import FORMATS, Item, Reading, Rejected, read_report

ReadFile = Callable[[Path | str], tuple[Reading, list[Item]]]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OCSF_KEYS = st.sampled_from(
    [
        "message",
        "metadata",
        "severity",
        "severity_id",
        "status",
        "status_id",
        "status_code",
        "status_detail",
        "unmapped",
        "finding_info",
        "resources",
        "cloud",
        "remediation",
        "risk_details",
        "time",
        "time_dt",
        "class_uid",
        "uid",
        "title",
        "event_code",
        "profiles",
        "account",
    ]
)
OCSF_LIKE = st.dictionaries(
    OCSF_KEYS,
    JSON
    | st.dictionaries(OCSF_KEYS, JSON, max_size=3)
    | st.lists(st.dictionaries(OCSF_KEYS, JSON), max_size=2),
    max_size=8,
)
NATIVE_KEYS = st.sampled_from(
    ["id", "title", "severity", "category", "status", "muted", "observed_at", "compliance", "resource"]
)
KNOWN_OCSF = {
    "metadata": {"event_code": "s3_bucket_public_access"},
    "class_uid": 2004,
    "severity_id": 4,
    "finding_info": {"uid": "u", "title": "t"},
}
BROKEN = b', {"broken": tru}]'
KNOWN_NATIVE = {"id": "F", "title": "t", "severity": "LOW"}


def read_all(content: bytes) -> list[Item]:
    return list(read_report(BytesIO(content), "report.json").items)


def complaint(content: bytes) -> str:
    """Read everything and return our own error's text, empty where there is none; any other error passes through."""
    try:
        read_all(content)
    except CountersignError as error:
        return str(error)
    return ""


def refusal(content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_all(content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "source", "found", "rejected"),
    [
        ("prowler_aws.ocsf.json", "Prowler OCSF", 3, 0),
        ("prowler_kubernetes.ocsf.json", "Prowler OCSF", 1, 0),
        ("prowler_lines.ocsf.jsonl", "Prowler OCSF", 2, 4),
        ("countersign.json", "Countersign JSON", 2, 1),
        ("countersign_list.json", "Countersign JSON", 1, 0),
    ],
)
def test_formats_are_told_by_content(
    read_file: ReadFile, name: str, source: str, found: int, rejected: int
) -> None:
    reading, items = read_file(name)
    assert (reading.source, reading.name) == (source, name)
    assert [sum(isinstance(item, kind) for item in items) for kind in (Finding, Rejected)] == [
        found,
        rejected,
    ]


def test_the_demo_report_goes_in_whole(demo_report: Path, read_file: ReadFile) -> None:
    _, items = read_file(demo_report)
    assert len(items) >= 30
    findings = [item for item in items if isinstance(item, Finding)]
    assert len(findings) == len(items)
    assert {finding.status for finding in findings} == {"FAIL", "PASS", "MANUAL"}
    assert [finding.resource for finding in findings if finding.muted] == [
        "arn:aws:s3:::northwind-web-assets"
    ]
    assert len({finding.handle for finding in findings}) == len(findings)
    assert demo_report.stat().st_size < 80_000


@pytest.mark.parametrize(
    "content",
    [
        b"id,title\n1,x\n",
        b'{"a": 1}',
        b'{"metadata": {"event_code": "x"}}',
        b"[1, 2]",
        b'"text"',
        b"<xml/>",
        b"\xff" * 9,
    ],
)
def test_an_unknown_format_names_file_and_choices(content: bytes) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        read_all(content)
    names = ", ".join(known.name for known in FORMATS)
    assert str(caught.value) == f"report.json: not a format we read ({names})"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\t" * 9, "white space"),
        (b"\xef\xbb\xbf", "white space"),
        (b" " * 200_000 + b"[]", "white space"),
        (json.dumps([KNOWN_NATIVE]).encode("utf-16"), "UTF-16"),
        (json.dumps([KNOWN_NATIVE]).encode("utf-16-be"), "NUL"),
        (b"\xfe\xff" + json.dumps([KNOWN_NATIVE]).encode("utf-16-be"), "UTF-16"),
        (json.dumps([KNOWN_NATIVE]).encode("utf-32"), "UTF-32"),
        (gzip.compress(b"[]", mtime=0), "gzip"),
        (b"PK\x03\x04....", "zip"),
        (b"\x7fELF\x00\x01", "NUL"),
    ],
)
def test_what_is_no_text_is_named_on_one_line(content: bytes, reason: str) -> None:
    message = refusal(content)
    assert message.startswith("report.json: ")
    assert reason in message
    assert message.isprintable()


def test_a_name_cannot_forge_a_second_line() -> None:
    with pytest.raises(InputError) as caught:
        read_report(BytesIO(), "a\nb\u202e.json")
    assert str(caught.value) == "a\ufffdb\ufffd.json: is empty"


class Pipe(BytesIO):
    def seekable(self) -> bool:
        return False


def test_what_cannot_be_read_twice_is_refused() -> None:
    with pytest.raises(InputError, match="save it to a file first"):
        read_report(Pipe(), "-")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("known", [KNOWN_NATIVE, KNOWN_OCSF])
def test_a_byte_order_mark_is_no_hindrance(mark: bytes, known: dict[str, object]) -> None:
    assert [type(item) for item in read_all(mark + json.dumps([known]).encode())] == [Finding]


def test_the_digest_is_of_the_bytes_as_they_came() -> None:
    content = b"\xef\xbb\xbf " + json.dumps([KNOWN_NATIVE] * 9000).encode()
    stream = BytesIO(content)
    stream.seek(5)
    reading = read_report(stream, "report.json")
    assert reading.content_sha256 == hashlib.sha256(content).hexdigest()
    assert len(list(reading.items)) == 9000


@pytest.mark.parametrize(
    ("name", "generated_at"),
    [
        ("countersign.json", datetime(2026, 2, 7, 10, 30, tzinfo=UTC)),
        ("countersign_list.json", None),
        # 07:00:00 local time; the epoch beside it says 06:00 UTC.
        ("prowler_aws.ocsf.json", datetime(2025, 12, 1, 6, tzinfo=UTC)),
        ("prowler_lines.ocsf.jsonl", None),
    ],
)
def test_the_time_a_file_states(read_file: ReadFile, name: str, generated_at: datetime | None) -> None:
    assert read_file(name)[0].generated_at == generated_at


def test_a_broken_file_gives_what_precedes_and_then_names_the_byte() -> None:
    good = json.dumps([KNOWN_OCSF] * 300).encode()[:-1]
    items = read_report(BytesIO(good + b', {"broken": tru}]'), "report.json").items
    assert {type(item) for item in islice(items, 200)} == {Finding}
    with pytest.raises(InputError) as caught:
        list(items)
    assert str(caught.value).startswith(f"report.json: not valid JSON at byte {len(good) + len(BROKEN) - 2}")


def test_a_report_written_twice_into_one_file_is_refused() -> None:
    once = json.dumps([KNOWN_OCSF]).encode()
    assert refusal(once + once).startswith(f"report.json: not valid JSON at byte {len(once)}")


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise_anything_but_our_errors(content: bytes) -> None:
    assert complaint(content).isprintable()


@given(st.sampled_from([KNOWN_OCSF, KNOWN_NATIVE]), st.data())
def test_damaged_reports_never_raise_anything_but_our_errors(
    known: dict[str, object], data: st.DataObject
) -> None:
    content = bytearray(json.dumps([known] * 3).encode())
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    assert complaint(bytes(content)).isprintable()


@pytest.mark.parametrize("separator", ["\n", ","])
@given(findings=st.lists(OCSF_LIKE | JSON, max_size=4))
def test_any_ocsf_object_is_a_finding_or_rejected(separator: str, findings: list[object]) -> None:
    written = separator.join(
        json.dumps(finding, allow_nan=False) for finding in [KNOWN_OCSF, *storable(findings)]
    )
    items = read_all((written if separator == "\n" else f"[{written}]").encode())
    assert isinstance(items[0], Finding)
    assert len(items) == 1 + len(storable(findings))
    assert [item.position for item in items if isinstance(item, Rejected)] == [
        place for place, item in enumerate(items, 1) if not isinstance(item, Finding)
    ]


@given(st.lists(st.dictionaries(NATIVE_KEYS, JSON) | JSON, max_size=4))
def test_any_native_object_is_a_finding_or_rejected(findings: list[object]) -> None:
    report = {"metadata": {"export_format": "json"}, "findings": storable(findings)}
    assert len(read_all(json.dumps(report).encode())) == len(storable(findings))


def storable(findings: list[object]) -> list[object]:
    """Leave out what is no JSON (NaN) or beyond the numbers that the parser takes."""
    return [finding for finding in findings if is_storable(finding)]


def is_storable(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(is_storable, value.values()))
    if isinstance(value, list):
        return all(map(is_storable, value))
    if isinstance(value, float):
        return abs(value) < 1e300
    return not isinstance(value, int) or abs(value) < 2**63


def test_memory_does_not_grow_with_the_file() -> None:
    padding = "x" * 2000
    with tempfile.TemporaryFile() as stream:
        stream.write(b"[")
        for number in range(6000):
            stream.write(json.dumps(KNOWN_OCSF | {"number": number, "message": padding}).encode() + b",")
        stream.write(json.dumps(KNOWN_OCSF).encode() + b"]")
        assert stream.tell() > 12_000_000
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_report(stream, "big.json").items) == 6001
            assert tracemalloc.get_traced_memory()[1] < 3_000_000
        finally:
            tracemalloc.stop()


def test_every_format_has_a_name_of_its_own() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)


def test_a_slow_parser_is_announced_and_reads_the_same(tmp_path: Path, read_file: ReadFile) -> None:
    name = "prowler_aws.ocsf.json"
    source = Path(__file__).parents[1] / "fixtures" / name
    script = "import sys; from audit.ingest import read_report; s = open(sys.argv[1], 'rb')\nfor i in read_report(s, 'x').items: print(repr(i))"
    done = subprocess.run(
        [sys.executable, "-c", script, source],
        env={"IJSON_BACKEND": "python", "PYTHONPATH": str(Path(__file__).parents[4]), "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert "RuntimeWarning: ijson runs on its “python” backend" in done.stderr
    assert done.stdout.splitlines() == [repr(item) for item in read_file(name)[1]]
