"""A bar that moves with the bytes that are read of a file."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from audit.ingest.naming import printable

_BLOCK_BYTES: Final = 2**18
_PASSES: Final = 2
"""A report is read once for its digest and once for its findings; ScoutSuite's and SARIF a few times more, at a full bar."""


@contextmanager
def watched(stream: BinaryIO, name: str, size: int, progress: Progress | None = None) -> Iterator[BinaryIO]:
    """Show a bar while the stream is read: `size` bytes, as often as reading a report takes."""
    with progress or make_progress() as shown:
        task = shown.add_task(printable(name), total=size * _PASSES)
        yield io.BufferedReader(_Watched(stream, partial(shown.advance, task)), _BLOCK_BYTES)


def make_progress(console: Console | None = None) -> Progress:
    """Return a bar on standard error, for people only: a log gets none."""
    shown_on = console or Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=shown_on,
        transient=True,
        disable=not shown_on.is_terminal,
    )


class _Watched(io.RawIOBase):
    """A stream that tells how many bytes were read of it."""

    def __init__(self, stream: BinaryIO, on_read: Callable[[int], None]) -> None:
        super().__init__()
        self._stream = stream
        self._on_read = on_read

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        self._on_read(len(block))
        return len(block)
