"""Reports packed with gzip or zip, inflated while they are read, never onto the disk.

Whatever is packed may be a bomb: what comes out is counted, in all and against what went in. Members' names are only shown, and an
archive within an archive stays closed.
"""

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol

from audit.errors import InputError
from audit.ingest.naming import naming

MAX_MEMBERS: Final = 100
MAX_INFLATED_BYTES: Final = 4 * 2**30
MAX_RATIO: Final = 250
"""Findings of one check repeat each other and shrink sixtyfold; a bomb of gzip grows a thousandfold."""

RATIO_FROM_BYTES: Final = 32 * 2**20
_BLOCK_BYTES: Final = 2**18
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_HIDDEN: Final = ("__MACOSX/", ".")
_IS_ENCRYPTED: Final = 1
# Of damaged archives the two modules raise the last three as well: a bad offset, a name that is no text, an odd flag.
_BROKEN: Final = (
    zlib.error,
    EOFError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    ValueError,
    RuntimeError,
    struct.error,
)


class _Packed(Protocol):
    """A stream out of an archive, as `gzip` and `zipfile` give it."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


def open_members(stream: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, str]]:
    """Yield what is in a file, as streams of their own: the file itself where it is not packed.

    Args:
        stream: seekable; each member is used up before the next one comes.
        name: what to call the file; a zip archive's members are called `name/member`.

    Raises:
        InputError: an archive that is broken, encrypted or too large, or that holds no file. The streams raise it too, while
            they are read.
    """
    with naming(name):
        beginning = _beginning(stream)
        if beginning.startswith(_ZIP):
            yield from _zipped(stream, name)
        elif beginning.startswith(_GZIP):
            yield _inflating(gzip.GzipFile(fileobj=stream, mode="rb"), packed_bytes=_size(stream)), name
        else:
            yield stream, name


def _beginning(stream: BinaryIO) -> bytes:
    stream.seek(0)
    beginning = stream.read(4)
    stream.seek(0)
    return beginning


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _zipped(stream: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, str]]:
    with _said_plainly(), zipfile.ZipFile(stream) as archive:
        members = _members(archive, _size(stream))
        for member in members:
            with archive.open(member) as opened:
                yield _inflating(opened, packed_bytes=member.compress_size), f"{name}/{member.filename}"


def _members(archive: zipfile.ZipFile, archive_bytes: int) -> list[zipfile.ZipInfo]:
    """Return the files worth reading, once the whole archive is known to be harmless.

    `zipfile` gives no more of a member than its stated size, so that the stated sizes bound what will come out.
    """
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise InputError(f"holds {len(entries):,} files, more than {MAX_MEMBERS}")
    inflated = sum(entry.file_size for entry in entries)
    if inflated > MAX_INFLATED_BYTES or _is_bomb(inflated, archive_bytes):
        raise InputError(f"holds {inflated:,} bytes in {archive_bytes:,}: too much for findings")
    files = [entry for entry in entries if not (_is_folder(entry.filename) or _is_hidden(entry.filename))]
    if not files:
        raise InputError("is an archive without files")
    if locked := next((entry for entry in files if entry.flag_bits & _IS_ENCRYPTED), None):
        raise InputError(f"is an archive with a password ({locked.filename})")
    return files


def _is_folder(name: str) -> bool:
    return name.endswith("/")  # `ZipInfo.is_dir` stumbles over a member without a name (Python 3.11)


def _is_hidden(name: str) -> bool:
    return name.startswith(_HIDDEN) or "/." in name


def _is_bomb(inflated: int, packed: int) -> bool:
    return inflated > RATIO_FROM_BYTES and inflated > packed * MAX_RATIO


def _inflating(packed: _Packed, *, packed_bytes: int) -> io.BufferedReader:
    return io.BufferedReader(_Inflating(packed, packed_bytes), _BLOCK_BYTES)


class _Inflating(io.RawIOBase):
    """What comes out of an archive, counted."""

    def __init__(self, packed: _Packed, packed_bytes: int, *, most: int = MAX_INFLATED_BYTES) -> None:
        super().__init__()
        self._most = most
        self._packed = packed
        self._packed_bytes = packed_bytes
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place counted from the start: readers of reports need no other."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only places from the start")
        with _said_plainly():
            self._place = self._packed.seek(offset)
        return self._place

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        with _said_plainly():
            block = self._packed.read(len(buffer))
        self._place += len(block)
        if self._place > self._most or _is_bomb(self._place, self._packed_bytes):
            raise InputError(
                f"grows to more than {self._place:,} bytes when it is unpacked: too much for findings"
            )
        buffer[: len(block)] = block
        return len(block)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Say what is wrong with an archive in our words."""
    try:
        yield
    except _BROKEN as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(f"is a broken archive ({said.rstrip('.')})") from None
