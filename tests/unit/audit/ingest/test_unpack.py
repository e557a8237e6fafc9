"""Packed reports: what is inside comes out counted, and a bomb does not go off."""

import gzip
import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CountersignError, InputError
from audit.findings import Finding
from audit.ingest import open_members, read_report, unpack
from tests.unit.audit.ingest.known import KNOWN

NATIVE = KNOWN["Countersign JSON"].content


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def read_all(content: bytes, name: str = "in") -> list[tuple[str, int]]:
    """Return the label of each member and how many findings it has."""
    return [
        (label, sum(isinstance(item, Finding) for item in read_report(stream, label).items))
        for stream, label in open_members(BytesIO(content), name)
    ]


def complaint(content: bytes) -> str:
    try:
        read_all(content)
    except CountersignError as error:
        return str(error)
    return ""


def refusal(content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_all(content)
    return str(caught.value)


@pytest.mark.parametrize("source", KNOWN)
def test_any_format_may_be_packed(source: str) -> None:
    known = KNOWN[source]
    assert read_all(gzipped(known.content)) == [("in", known.count)]
    assert read_all(zipped(("a", known.content))) == [("in/a", known.count)]


def test_several_files_come_one_by_one_and_hidden_ones_not_at_all() -> None:
    members = [
        ("out/a.json", NATIVE),
        ("__MACOSX/out/._a.json", b"x"),
        ("out/.DS_Store", b"x"),
        ("b.csv", KNOWN["Prowler CSV"].content),
    ]
    assert read_all(zipped(*members)) == [("in/out/a.json", 1), ("in/b.csv", 2)]


def test_a_report_is_the_same_packed_or_not() -> None:
    plain = read_report(BytesIO(NATIVE), "a").content_sha256
    ((stream, _),) = open_members(BytesIO(gzipped(NATIVE)), "a")
    assert read_report(stream, "a").content_sha256 == plain


@pytest.mark.parametrize("inner", [gzipped(NATIVE), zipped(("a", NATIVE))])
@pytest.mark.parametrize("pack", [gzipped, lambda inner: zipped(("inner", inner))])
def test_an_archive_in_an_archive_stays_closed(pack: object, inner: bytes) -> None:
    assert "unpack it first" in refusal(pack(inner))  # type: ignore[operator]


@pytest.mark.parametrize("pack", [gzipped, lambda content: zipped(("a", content))])
def test_a_bomb_is_refused_long_before_it_is_unpacked(pack: object) -> None:
    bomb = b'[{"id": "F", "title": "t", "severity": "LOW"}' + b" " * (200 * 2**20) + b"]"
    assert "too much for findings" in refusal(pack(bomb))  # type: ignore[operator]


def test_an_archive_that_states_too_much_is_not_opened() -> None:
    padding = b"\0" * (33 * 2**20)  # so that it is no bomb by its ratio
    content = bytearray(zipped(("a", NATIVE), ("b", NATIVE), ("pad", padding), method=zipfile.ZIP_STORED))
    place = content.index(b"PK\x01\x02")
    for _ in range(2):
        content[place + 24 : place + 28] = struct.pack("<L", 0xF0000000)
        place = content.index(b"PK\x01\x02", place + 4)
    assert refusal(bytes(content)).startswith("in: holds 8,087,666,688 bytes in 34,603,")


def test_what_comes_out_of_gzip_is_limited_in_all() -> None:
    packed = gzip.GzipFile(fileobj=BytesIO(gzipped(NATIVE * 99)))
    stream = unpack._Inflating(packed, 10**6, most=1000)
    with pytest.raises(InputError, match="grows to more than 2,000 bytes"):
        stream.read(2000)


def test_many_findings_alike_are_no_bomb() -> None:
    finding = b'{"id": "F", "title": "' + b"the same words again " * 40 + b'", "severity": "LOW"}'
    report = b"[" + b",".join([finding] * 2000) + b"]"
    assert read_all(gzipped(report)) == [("in", 2000)]


def test_too_many_files_are_refused() -> None:
    assert refusal(zipped(*((f"{n}.json", b"") for n in range(101)))) == "in: holds 101 files, more than 100"


def test_an_archive_that_lies_about_a_size_gives_no_more_than_it_said() -> None:
    content = zipped(("a", NATIVE + b" " * 5000))
    place = content.index(b"PK\x01\x02") + 24
    lying = content[:place] + struct.pack("<L", len(NATIVE)) + content[place + 4 :]
    assert "broken archive" in refusal(lying)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzipped(NATIVE)[:-12], "is a broken archive"),
        (gzipped(NATIVE)[:12], "is a broken archive"),
        (b"\x1f\x8b", "is a broken archive"),
        (b"PK\x03\x04....", "is a broken archive"),
        (zipped(("a", NATIVE))[:-30], "is a broken archive"),
        (zipped(), "is an archive without files"),
        (zipped(("folder/", b"")), "is an archive without files"),
        (zipped(("a", b"")), "is empty"),
        (gzipped(b""), "is empty"),
    ],
)
def test_broken_and_empty_archives_are_one_line(content: bytes, reason: str) -> None:
    said = refusal(content)
    assert said.startswith("in")
    assert reason in said
    assert said.isprintable()


def test_a_password_is_not_asked_for() -> None:
    content = bytearray(zipped(("secret.json", NATIVE)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    assert refusal(bytes(content)) == "in: is an archive with a password (secret.json)"


def test_a_changed_byte_is_noticed() -> None:
    stored = zipped(("a", NATIVE), method=zipfile.ZIP_STORED)
    assert "broken archive" in refusal(stored.replace(b'"t"', b'"u"'))


def test_a_members_name_cannot_forge_a_line() -> None:
    with pytest.raises(InputError) as caught:
        read_all(zipped(("a\nb", b"nonsense")))
    assert str(caught.value).startswith("in/a\ufffdb: not a format we read")


def test_a_member_without_a_name_is_a_broken_archive() -> None:
    content = bytearray(zipped(("a.json", NATIVE)))
    name = content.rindex(b"a.json")
    content[name : name + 1] = b"\0"  # a name ends there
    assert "broken archive" in refusal(bytes(content))


@given(st.sampled_from([gzipped(NATIVE), zipped(("a.json", NATIVE))]), st.data())
def test_damaged_archives_raise_nothing_but_our_errors(packed: bytes, data: st.DataObject) -> None:
    content = bytearray(packed)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    assert complaint(bytes(content)).isprintable()
