"""What a process that reads a file says to the one that stores it: plain values, in frames of a known length.

Nothing here can make the listener run anything, as unpickling could: whoever reads files of strangers may have been taken over by one.
"""

import struct
from dataclasses import asdict
from enum import Enum
from typing import BinaryIO, Final, cast

import orjson

from audit.errors import InputError, UnknownFormatError
from audit.finding_fields import clean
from audit.ingest.naming import printable
from audit.ingest.packing import BODY, FIELDS, Batch, Sum

MOST_BYTES: Final = 2**27
"""A batch has 4 MB of findings and whatever the last of them adds; more is nothing that we sent."""

_HEAD: Final = struct.Struct(">cI")
_LENGTH: Final = struct.Struct(">I")
_LONGEST_REASON: Final = 2000
_ERRORS: Final = {"input": InputError, "unknown": UnknownFormatError}


class Said(Enum):
    """What a frame is about."""

    MEMBER = b"M"
    READING = b"R"
    BATCH = b"B"
    SUM = b"S"
    ERROR = b"E"
    BYTES = b"P"
    DONE = b"Z"


class CutOffError(Exception):
    """The other side has said less than it began to say, or nothing that we know."""


def send(out: BinaryIO, kind: Said, *payload: bytes) -> None:
    """Write a frame, at once."""
    content = b"".join(payload)
    out.write(_HEAD.pack(kind.value, len(content)) + content)
    out.flush()


def receive(source: BinaryIO) -> tuple[Said, bytes]:
    """Read a frame.

    Raises:
        CutOffError: there is none, or not all of it.
    """
    letter, length = _HEAD.unpack(_exactly(source, _HEAD.size))
    try:
        kind = Said(letter)
    except ValueError:
        raise CutOffError(f"{letter!r} is no frame") from None
    if length > MOST_BYTES:
        raise CutOffError(f"a frame of {length} bytes")
    return kind, _exactly(source, length)


def _exactly(source: BinaryIO, length: int) -> bytes:
    content = source.read(length)
    if len(content) < length:
        raise CutOffError(f"{len(content)} bytes instead of {length}")
    return content


def from_batch(batch: Batch) -> tuple[bytes, ...]:
    """Return a batch as the parts of a frame. Bodies are JSON already and go behind, so that nobody has to look into them."""
    values = list(batch.values)
    bodies = cast("list[bytes]", values[BODY :: len(FIELDS)])
    values[BODY :: len(FIELDS)] = map(len, bodies)
    head = orjson.dumps([values, [[number, len(body)] for number, body in batch.texts]])
    return _LENGTH.pack(len(head)), head, *bodies, *(body for _, body in batch.texts)


def to_batch(payload: bytes) -> Batch:
    """Return the batch of a frame."""
    (length,) = _LENGTH.unpack_from(payload)
    begin = _LENGTH.size + length
    values, texts = orjson.loads(payload[_LENGTH.size : begin])
    bodies = _cut(payload, begin, [*values[BODY :: len(FIELDS)], *(size for _, size in texts)])
    rows = len(values) // len(FIELDS)
    values[BODY :: len(FIELDS)] = bodies[:rows]
    return Batch(values, [(number, body) for (number, _), body in zip(texts, bodies[rows:], strict=True)])


def _cut(payload: bytes, place: int, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(payload[place : place + size])
        place += size
    return pieces


def from_sum(total: Sum) -> bytes:
    """Return a sum as the content of a frame."""
    return orjson.dumps(asdict(total))


def to_sum(payload: bytes) -> Sum:
    """Return the sum of a frame."""
    return Sum(**orjson.loads(payload))


def from_error(error: InputError | OSError) -> bytes:
    """Return an error as the content of a frame."""
    if isinstance(error, OSError):
        return orjson.dumps(["os", error.errno, error.strerror or type(error).__name__])
    kind = "unknown" if isinstance(error, UnknownFormatError) else "input"
    return orjson.dumps([kind, clean(str(error))])


def to_error(payload: bytes) -> InputError | OSError:
    """Return the error of a frame, on one line."""
    kind, *about = orjson.loads(payload)
    if kind == "os":
        return OSError(*about)
    return _ERRORS[kind](printable(str(about[0]))[:_LONGEST_REASON])
