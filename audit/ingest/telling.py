"""The side that reads: opens a file, and tells what is in it, frame by frame. It takes no more orders than which members to read."""

from collections.abc import Callable
from typing import BinaryIO, Final

import orjson

from audit.errors import InputError
from audit.finding_fields import clean
from audit.ingest.frames import Said, from_batch, from_error, from_sum, send
from audit.ingest.mapped_csv import ColumnMap
from audit.ingest.opening import Member, open_here
from audit.ingest.packing import pack
from audit.ingest.reading import Reading

READ: Final = b"read"
SKIP: Final = b"skip"
Ask = Callable[[], bytes]
"""Waits for the next order: to `READ`, or to `SKIP` a member, or the items of one that was begun."""

_TOLD_EVERY_BYTES: Final = 2**22


def tell(stream: BinaryIO, name: str, columns: ColumnMap, *, ask: Ask, out: BinaryIO) -> None:
    """Tell of each member of a file what it is, and, where that is wanted, all that is in it."""
    teller = _Teller(ask, out)
    try:
        with open_here(stream, name, columns=columns, say=teller.count) as members:
            for member in members:
                teller.tell_member(member)
    except (InputError, OSError) as error:
        teller.send(Said.ERROR, from_error(error))
        return
    teller.send(Said.DONE)


class _Teller:
    """Counts the bytes that are read on the way."""

    def __init__(self, ask: Ask, out: BinaryIO) -> None:
        self._ask = ask
        self._out = out
        self._bytes = 0

    def send(self, kind: Said, *payload: bytes) -> None:
        """Say something, after how many bytes that took."""
        if self._bytes:
            send(self._out, Said.BYTES, orjson.dumps(self._bytes))
            self._bytes = 0
        send(self._out, kind, *payload)

    def count(self, size: int) -> None:
        """Count bytes, and tell of them now and then."""
        self._bytes += size
        if self._bytes >= _TOLD_EVERY_BYTES:
            send(self._out, Said.BYTES, orjson.dumps(self._bytes))
            self._bytes = 0

    def tell_member(self, member: Member) -> None:
        """Tell that there is a member, and of it as much as is wanted."""
        self.send(Said.MEMBER, orjson.dumps(clean(member.label)))
        if self._ask() != READ:
            return
        try:
            reading = member.open()
            self.send(Said.READING, orjson.dumps(_about(reading)))
            if self._ask() == READ:
                self._tell_items(reading)
        except (InputError, OSError) as error:
            self.send(Said.ERROR, from_error(error))

    def _tell_items(self, reading: Reading) -> None:
        packed = pack(reading.items)
        try:
            while True:
                self.send(Said.BATCH, *from_batch(next(packed)))
        except StopIteration as end:
            self.send(Said.SUM, from_sum(end.value))


def _about(reading: Reading) -> dict[str, object]:
    return {
        "source": reading.source,
        "name": clean(reading.name),
        "content_sha256": reading.content_sha256,
        "generated_at": reading.generated_at,
    }
