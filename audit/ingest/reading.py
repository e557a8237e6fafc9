"""A file while it is being read, as whoever stores it is handed it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from audit.ingest.model import Item
from audit.ingest.packing import Packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file being read: who wrote it, and its items as a stream to be read once.

    `content_sha256` (64 hex digits) is taken over the bytes as they came, so the same file is known again.
    `generated_at` is the time the file itself states, aware UTC, None where it states none. `is_complete` is False where only a
    part of what a scan found was asked for: what is not in it may be there all the same, and must not count as fixed.
    `packed` has the findings ready to be stored where another process reads the file; there are no `items` then.
    """

    source: str
    name: str
    content_sha256: str
    generated_at: datetime | None
    items: Iterator[Item]
    is_complete: bool = True
    packed: Packed | None = None
