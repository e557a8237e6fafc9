"""What every format speaks in: findings, and rejected ones with their place."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from audit.errors import InputError
from audit.findings import Finding


@dataclass(frozen=True, slots=True)
class Rejected:
    """A finding that cannot be used: its place in the file (from 1) and why."""

    position: int
    reason: str

    def __str__(self) -> str:
        return f"finding {self.position}: {self.reason}"


Item = Finding | Rejected


@dataclass(frozen=True, slots=True)
class Format:
    """A format we read.

    `sniff` gets the file's first 64 KiB, without a byte order mark, and tells whether it looks like this format;
    `stated_time` gets the same and returns the time the file states for itself, aware UTC, if it does.
    `read` gets the stream, finds its start itself, and yields one item per finding in file order; it raises
    `InputError` with the byte position when the file fails as a whole (truncated, not JSON, nested too deep).
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: Callable[[BinaryIO], Iterator[Item]]
    stated_time: Callable[[bytes], datetime | None]


def no_stated_time(_head: bytes) -> datetime | None:
    """Return nothing: for formats that state no time, or not where the head alone shows it."""
    return None


def to_items(records: Iterable[object], convert: Callable[[object], Finding]) -> Iterator[Item]:
    """Yield each record as the finding that `convert` makes of it, or rejected with the reason it raises."""
    for position, record in enumerate(records, start=1):
        yield _to_item(position, record, convert)


def _to_item(position: int, record: object, convert: Callable[[object], Finding]) -> Item:
    try:
        return convert(record)
    except InputError as error:
        return Rejected(position, str(error))
