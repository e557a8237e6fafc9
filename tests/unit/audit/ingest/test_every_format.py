"""What holds for every format alike: told by content, nothing but our errors, little memory."""

import gzip
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Finding
from audit.errors import CountersignError, InputError
from audit.ingest import FORMATS, Item, read_report
from audit.ingest.scoutsuite import MAX_FLAGGED
from tests.conftest import sample
from tests.unit.audit.ingest.known import (
    ASFF_FINDING,
    CLOUDSPLOIT_FINDING,
    KNOWN,
    PROWLER_COLUMNS,
    PROWLER_ROWS,
)

SAMPLES = {
    "prowler5_aws.ocsf.json": ("Prowler OCSF", 5),
    "prowler5_aws.csv": ("Prowler CSV", 4),
    "prowler5_kubernetes.ocsf.json": ("Prowler OCSF", 6),
    "prowler330_aws.asff.json": ("AWS Security Finding Format", 731),
    "prowler2_aws_many.csv": ("Prowler 2 CSV", 214),
    "securityhub_config_many.json": ("AWS Security Finding Format", 3),
    "scoutsuite_two_findings.js": ("ScoutSuite", 4),  # two rules, each flags two buckets
    "cloudsploit_many.json": ("CloudSploit JSON", 6),
    "azure_security_center_many_bom.csv": ("Azure Security Center CSV", 4),
    "securityhubv2_ocsf_samples.json": ("Security Hub OCSF", 3),
}
JSON_FORMATS = [name for name, known in KNOWN.items() if known.content.lstrip()[:1] in (b"[", b"{", b"s")]
VALUES = st.none() | st.booleans() | st.integers(-9, 2**40) | st.text(max_size=4) | st.just([]) | st.just({})


def read_all(content: bytes, name: str = "report") -> list[Item]:
    return list(read_report(BytesIO(content), name).items)


def complaint(content: bytes) -> str:
    try:
        read_all(content)
    except CountersignError as error:
        return str(error)
    return ""


def test_every_format_is_known_here() -> None:
    assert set(KNOWN) == {known.name for known in FORMATS}


@pytest.mark.parametrize("source", KNOWN)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_format_is_told_by_its_content(source: str, mark: bytes) -> None:
    known = KNOWN[source]
    content = mark + known.content.removeprefix(b"\xef\xbb\xbf")
    reading = read_report(BytesIO(content), "report")
    assert (reading.source, [type(item) for item in reading.items]) == (source, [Finding] * known.count)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_real_report_goes_in_whole(name: str) -> None:
    source, count = SAMPLES[name]
    with sample(name).open("rb") as stream:
        reading = read_report(stream, name)
        assert (reading.source, [type(item) for item in reading.items]) == (source, [Finding] * count)


def test_every_sample_is_expected() -> None:
    folder: Path = sample("prowler5_aws.csv").parent
    assert {path.name for path in folder.iterdir() if path.suffix != ".md"} == set(SAMPLES)


@pytest.mark.parametrize("source", KNOWN)
def test_a_cut_off_report_is_our_error_or_what_precedes(source: str) -> None:
    content = KNOWN[source].content
    for length in range(0, len(content), 7):
        assert complaint(content[:length]).isprintable()


@pytest.mark.parametrize("source", JSON_FORMATS)
def test_half_a_json_report_names_the_byte(source: str) -> None:
    content = KNOWN[source].content[:-1]
    assert (
        complaint(content)
        == f"report: cut off: the file ends at byte {len(content)} in the middle of its JSON"
    )


@pytest.mark.parametrize("source", KNOWN)
@given(data=st.data())
def test_a_damaged_report_raises_nothing_but_our_errors(source: str, data: st.DataObject) -> None:
    content = bytearray(KNOWN[source].content)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    assert complaint(bytes(content)).isprintable()


@pytest.mark.parametrize("source", JSON_FORMATS)
@given(data=st.data())
def test_values_of_any_kind_are_a_finding_or_rejected(source: str, data: st.DataObject) -> None:
    content = KNOWN[source].content
    document = json.loads(content[content.index(b"=") + 1 :] if source == "ScoutSuite" else content)
    for _ in range(data.draw(st.integers(1, 3))):
        replace_somewhere(document, data)
    assert complaint(json.dumps(document).encode()).isprintable()


def replace_somewhere(document: object, data: st.DataObject) -> None:
    """Put a value of any kind in the place of one of the document's."""
    while isinstance(document, (dict, list)) and document:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = data.draw(st.sampled_from(keys))
        inner = document[key]
        if not isinstance(inner, (dict, list)) or data.draw(st.booleans()):
            document[key] = data.draw(VALUES)
            return
        document = inner


@pytest.mark.parametrize("source", JSON_FORMATS)
def test_a_nest_of_brackets_is_refused_with_its_place(source: str) -> None:
    nest = b"[" * 10**5 + b"]" * 10**5
    content = KNOWN[source].content.rstrip()[:-1] + (b"," + nest if source in LISTS else b', "x": ' + nest)
    assert "nested deeper than 64 levels, after byte" in complaint(content)


LISTS = [name for name in JSON_FORMATS if KNOWN[name].content.startswith(b"[")]


@pytest.mark.parametrize("source", KNOWN)
def test_ten_megabytes_in_one_field_are_refused_with_their_place(source: str) -> None:
    content = KNOWN[source].content
    if source in JSON_FORMATS:
        flood = content.rstrip()[:-1] + (b', {"x": "' if source in LISTS else b', "x": "') + b"x" * 10**7
        assert "one finding is larger than 4 MiB, before byte" in complaint(flood)
    else:
        line = content.count(b"\n") + 1
        assert complaint(content + b"x" * 10**7) == f"report: line {line}: is longer than 1 MiB"


@pytest.mark.parametrize("source", KNOWN)
def test_nul_bytes_and_utf_16_are_refused(source: str) -> None:
    content = KNOWN[source].content
    assert "NUL" in complaint(content.replace(b"e", b"\0", 1))
    assert "UTF-16" in complaint(content.decode("utf-8-sig").encode("utf-16"))


@pytest.mark.parametrize("source", KNOWN)
def test_nul_bytes_far_into_a_report_are_refused(source: str) -> None:
    content = KNOWN[source].content.rstrip() + b"\n" * 2**17 + b"\0\0\n"
    assert complaint(content).startswith("report: ")


def stretched(source: str, megabytes: int) -> Callable[[BytesIO], None]:
    """Return what writes a report of that size."""

    def write(out: BytesIO) -> None:
        if source == "Prowler CSV":
            lines = (PROWLER_ROWS[0] + "\n").encode()
            out.write(f"{PROWLER_COLUMNS}\n".encode())
            out.write(lines * (megabytes * 2**20 // len(lines)))
            return
        finding = ASFF_FINDING if source.startswith("AWS") else CLOUDSPLOIT_FINDING
        written = json.dumps(finding).encode()
        out.write(b"[" + b",".join([written] * (megabytes * 2**20 // len(written))) + b"]")

    return write


@pytest.mark.slow
@pytest.mark.parametrize("source", ["Prowler CSV", "AWS Security Finding Format", "CloudSploit JSON"])
def test_memory_does_not_grow_with_the_file(source: str) -> None:
    with tempfile.TemporaryFile() as stream:
        stretched(source, 12)(stream)  # type: ignore[arg-type]
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_report(stream, "big").items) > 5000
            assert tracemalloc.get_traced_memory()[1] < 6_000_000
        finally:
            tracemalloc.stop()


def test_a_flood_of_flagged_resources_is_refused() -> None:
    head = b'{"provider_code": "aws", "last_run": {"ruleset_name": "d"}, "services": {"s3": {"findings": {"r": {"items": ['
    content = head + b",".join([b'"a"'] * (MAX_FLAGGED + 1)) + b"]}}}}}"
    with pytest.raises(InputError, match="flags more than 200,000 resources, in services.s3"):
        read_all(content)


def test_what_is_packed_is_not_read_as_text() -> None:
    assert complaint(gzip.compress(b"[]")) == "report: is compressed with gzip; unpack it first"
