"""Which format a file is in, told by its content; then its findings, as a stream."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

from audit.errors import InputError, UnknownFormatError
from audit.ingest import native, ocsf
from audit.ingest.json_stream import BYTE_ORDER_MARK
from audit.ingest.model import Format, Item, Reading

FORMATS: Final[tuple[Format, ...]] = (native.FORMAT, ocsf.FORMAT)
_HEAD_BYTES: Final = 2**16
_NOT_TEXT: Final = {
    b"\xff\xfe": "is UTF-16 or UTF-32; save it as UTF-8",
    b"\xfe\xff": "is UTF-16; save it as UTF-8",
    b"\x00\x00\xfe\xff": "is UTF-32; save it as UTF-8",
    b"\x1f\x8b": "is compressed with gzip; unpack it first",
    b"PK\x03\x04": "is a zip archive; unpack it first",
}


def read_report(stream: BinaryIO, name: str) -> Reading:
    """Find out a report's format and begin to read it.

    Args:
        stream: a seekable file, open for reading bytes; stays in use until the items are read.
        name: what to call the file in errors.

    Raises:
        UnknownFormatError: the content is in none of `FORMATS`.
        InputError: empty, blank, compressed, or not UTF-8 text. The items raise it too, while they are read, when
            the file turns out to be broken: with the byte position and the reason.
    """
    called = _printable(name)
    if not stream.seekable():
        raise InputError(f"{called}: cannot be read twice (a pipe?); save it to a file first")
    digest = _sha256(stream)
    head = _head(stream, called)
    found = _detect(head, called)
    return Reading(
        source=found.name,
        name=name,
        content_sha256=digest,
        generated_at=found.stated_time(head),
        items=_named_errors(found.read(stream), called),
    )


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def _sha256(stream: BinaryIO) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    for block in iter(partial(stream.read, _HEAD_BYTES), b""):
        digest.update(block)
    return digest.hexdigest()


def _head(stream: BinaryIO, called: str) -> bytes:
    """Return the beginning without a byte order mark, once it looks like text."""
    stream.seek(0)
    raw = stream.read(_HEAD_BYTES)
    if not raw:
        raise InputError(f"{called}: is empty")
    for beginning, reason in _NOT_TEXT.items():
        if raw.startswith(beginning):
            raise InputError(f"{called}: {reason}")
    if b"\0" in raw:
        raise InputError(f"{called}: holds NUL bytes, so it is no UTF-8 text")
    head = raw.removeprefix(BYTE_ORDER_MARK)
    if not head.strip():
        raise InputError(f"{called}: begins with nothing but white space")
    return head


def _detect(head: bytes, called: str) -> Format:
    for candidate in FORMATS:
        if candidate.sniff(head):
            return candidate
    known = ", ".join(candidate.name for candidate in FORMATS)
    raise UnknownFormatError(f"{called}: not a format we read ({known})")


def _named_errors(items: Iterator[Item], called: str) -> Iterator[Item]:
    try:
        yield from items
    except InputError as error:
        raise InputError(f"{called}: {error}") from None
