"""The side that stores: makes readings out of what the reading side tells. No more is held than the frame that is being looked at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

import orjson

from audit.ingest.frames import CutOffError, Said, receive, to_batch, to_error, to_sum
from audit.ingest.opening import Member
from audit.ingest.packing import Packed
from audit.ingest.reading import Reading
from audit.ingest.telling import READ, SKIP
from audit.ingest.watched import Say


@dataclass(slots=True)
class Hearing:
    """A talk with the reading side: `heard` is what it says, `orders` what is said to it.

    Raises, whenever something is heard:
        CutOffError: the other side said less than it began to say.
        InputError: what it said about the file.
        OSError: the disk did not give it the file.
    """

    heard: BinaryIO
    orders: BinaryIO
    say: Say
    _owed: list[bytes] = field(default_factory=list)
    _is_telling: bool = False

    def begin(self, about: bytes) -> None:
        """Say what there is to read: the first of all lines."""
        self._order(about)

    def members(self) -> Iterator[Member]:
        """Yield the members of the file."""
        while True:
            self._catch_up()
            kind, payload = self._next()
            if kind is Said.DONE:
                return
            if kind is not Said.MEMBER:
                raise CutOffError(f"{kind} instead of a member")
            self._owed = [SKIP]
            yield Member(str(orjson.loads(payload)), self._open)

    def _open(self) -> Reading:
        self._order(READ)
        kind, payload = self._next()
        if kind is not Said.READING:
            raise CutOffError(f"{kind} instead of what is read")
        self._owed = [SKIP]
        about = orjson.loads(payload)
        stated = about.pop("generated_at")
        return Reading(
            **about,
            generated_at=datetime.fromisoformat(stated) if stated else None,
            items=iter(()),
            packed=self._packed(),
        )

    def _packed(self) -> Packed:
        self._order(READ)
        self._is_telling = True
        while True:
            kind, payload = self._next()
            if kind is Said.SUM:
                self._is_telling = False
                return to_sum(payload)
            if kind is not Said.BATCH:
                raise CutOffError(f"{kind} instead of findings")
            yield to_batch(payload)

    def _catch_up(self) -> None:
        """Hear the rest of what nobody waits for any more, or say that it is not wanted."""
        for order in self._owed:
            self._order(order)
        while self._is_telling:
            kind, _ = self._hear()
            self._is_telling = kind is Said.BATCH

    def _order(self, order: bytes) -> None:
        self._owed = []
        try:
            self.orders.write(order + b"\n")
            self.orders.flush()
        except BrokenPipeError:
            raise CutOffError("nobody takes orders") from None

    def _next(self) -> tuple[Said, bytes]:
        """Return what is said next, raised where it is an error."""
        kind, payload = self._hear()
        if kind is Said.ERROR:
            self._is_telling = False
            raise to_error(payload)
        return kind, payload

    def _hear(self) -> tuple[Said, bytes]:
        while True:
            kind, payload = receive(self.heard)
            if kind is not Said.BYTES:
                return kind, payload
            self.say(int(orjson.loads(payload)))
