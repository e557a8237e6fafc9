"""Which format a file is in, told by its content; then its findings, as a stream."""

import hashlib
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from audit.errors import InputError, UnknownFormatError
from audit.ingest import (
    asff,
    azure_csv,
    cloudsploit,
    native,
    ocsf,
    prowler2_csv,
    prowler_csv,
    prowler_json,
    sarif,
    scoutsuite,
    securityhub,
)
from audit.ingest.json_stream import BYTE_ORDER_MARK
from audit.ingest.mapped_csv import ColumnMap, mapped_format
from audit.ingest.model import Format, Item
from audit.ingest.naming import naming
from audit.ingest.reading import Reading

FORMATS: Final[tuple[Format, ...]] = (
    native.FORMAT,
    ocsf.FORMAT,
    securityhub.FORMAT,
    asff.FORMAT,
    prowler_json.FORMAT,
    prowler_csv.FORMAT,
    prowler2_csv.FORMAT,
    scoutsuite.FORMAT,
    cloudsploit.FORMAT,
    azure_csv.FORMAT,
    sarif.FORMAT,
)
_HEAD_BYTES: Final = 2**16
_NO_REPORT: Final = {
    b"\xff\xfe": "is UTF-16 or UTF-32; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
    b"\x00\x00\xfe\xff": "is UTF-32; save it as UTF-8",
    b"\x1f\x8b": "is compressed with gzip; unpack it first",
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"PK\x05\x06": "is an empty zip archive",
}


def read_report(stream: BinaryIO, name: str, *, columns: ColumnMap | None = None) -> Reading:
    """Find out a report's format and begin to read it.

    Args:
        stream: a seekable file, open for reading bytes; stays in use until the items are read. What may be packed goes through
            `open_members` first.
        name: what to call the file in errors.
        columns: which column is which field, for a CSV in none of `FORMATS`.

    Raises:
        UnknownFormatError: the content is in no format we read.
        InputError: empty, blank, packed, or not UTF-8 text. The items raise it too, while they are read, when the file turns out
            to be broken: with the position and the reason.
    """
    with naming(name):
        if not stream.seekable():
            raise InputError("cannot be read twice (a pipe?); save it to a file first")
        digest = _sha256(stream)
        head = _head(stream)
        found = _detect(head, (*FORMATS, mapped_format(columns)) if columns else FORMATS)
        return Reading(
            source=found.name,
            name=name,
            content_sha256=digest,
            generated_at=found.stated_time(head),
            items=_named_errors(stream, name, found),
        )


def _sha256(stream: BinaryIO) -> str:
    stream.seek(0)
    return hashlib.file_digest(cast("io.BufferedIOBase", stream), "sha256").hexdigest()


def _head(stream: BinaryIO) -> bytes:
    """Return the beginning without a byte order mark, once it looks like text."""
    stream.seek(0)
    raw = stream.read(_HEAD_BYTES)
    if not raw:
        raise InputError("is empty")
    for beginning, reason in _NO_REPORT.items():
        if raw.startswith(beginning):
            raise InputError(reason)
    if b"\0" in raw:
        raise InputError("holds NUL bytes, so it is no UTF-8 text")
    head = raw.removeprefix(BYTE_ORDER_MARK)
    if not head.strip():
        raise InputError("begins with nothing but white space")
    return head


def _detect(head: bytes, formats: tuple[Format, ...]) -> Format:
    for candidate in formats:
        if candidate.sniff(head):
            return candidate
    known = ", ".join(candidate.name for candidate in formats)
    raise UnknownFormatError(f"not a format we read ({known})")


def _named_errors(stream: BinaryIO, name: str, found: Format) -> Iterator[Item]:
    with naming(name):
        yield from found.read(stream)
