"""A stream that tells how much was read of it."""

import io
from collections.abc import Callable
from typing import BinaryIO, Final, cast

Say = Callable[[int], None]
"""Told of bytes that were read, as they are read. What it raises ends the reading."""

_BLOCK_BYTES: Final = 2**18


def say_nothing(_size: int) -> None:
    """Is told where nobody wants to know."""


def watched(stream: BinaryIO, say: Say) -> BinaryIO:
    """Return the stream, and tell of each block that is read of it."""
    return io.BufferedReader(_Watched(stream, say), _BLOCK_BYTES)


class _Watched(io.RawIOBase):
    def __init__(self, stream: BinaryIO, say: Say) -> None:
        super().__init__()
        self._stream = stream
        self._say = say

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        # Straight into the buffer: half a gigabyte is read twice, and each copy of it costs as much as parsing a tenth of it.
        size = cast("io.BufferedIOBase", self._stream).readinto(buffer)
        self._say(size)
        return size
