"""JSON of any size in little memory, with limits that hold against a hostile file.

ijson's C parser does the work. What it lacks (measured with 3.6.0) is added here:

- nested brackets cost it quadratic time (30,000 of them take six seconds), so the depth is measured before
  it sees a block;
- an integer of 5,000 digits crashes it, unless numbers are read as machine floats and integers (`use_float`);
- it does not say where a file is broken, so a broken file is parsed again, byte by byte in its last block.
"""

import io
import json
import re
import warnings
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import accumulate
from typing import BinaryIO, Final

import ijson

from audit.errors import InputError

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
PREAMBLE: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s*scoutsuite_results\s*=)?")
_LONGEST_PREAMBLE: Final = 256
MAX_DEPTH: Final = 64
MAX_VALUE_BYTES: Final = 4 * 2**20
BLOCK_BYTES: Final = 2**16
NOT_JSON: Final = (ijson.JSONError, json.JSONDecodeError, UnicodeDecodeError)
"""What ijson raises; the second comes through from its Python backend, the third where an escape is half a pair."""

_REASON_LENGTH: Final = 120
_OUTLINE_DEPTH: Final = 4
_OUTLINE_KEY_LENGTH: Final = 64

if ijson.backend != "yajl2_c":
    warnings.warn(
        f"ijson runs on its “{ijson.backend}” backend: reading reports will be many times slower than with yajl2_c",
        RuntimeWarning,
        stacklevel=1,
    )


def stream_values(stream: BinaryIO, path: str) -> Iterator[object]:
    """Yield the values at a path, one by one, with no more than one of them and a block in memory.

    Args:
        stream: seekable; read from its start.
        path: dotted keys, with `item` for the members of a list; empty for documents one after another.

    Raises:
        InputError: cut off, not JSON, nested deeper than `MAX_DEPTH`, or a value beyond `MAX_VALUE_BYTES`;
            names the byte, counted from 0. Raised when iteration gets there.
    """
    source = Source(stream)
    is_sequence = not path
    try:
        for value in ijson.items(
            source, path, buf_size=BLOCK_BYTES, use_float=True, multiple_values=is_sequence
        ):
            source.since_value = 0
            yield value
    except NOT_JSON as error:
        raise broken(source, error, is_sequence=is_sequence) from None


def holds_list(stream: BinaryIO, path: str) -> bool:
    """Tell whether a list stands at the path of a document that `stream_values` has read to its end."""
    events = ijson.parse(Source(stream), buf_size=BLOCK_BYTES, use_float=True)
    return any(place == path and event == "start_array" for place, event, _ in events)


def opening_byte(stream: BinaryIO) -> bytes:
    """Return the first byte that is neither byte order mark nor white space, of the first 64 KiB."""
    rewind(stream)
    return stream.read(BLOCK_BYTES).lstrip()[:1]


def outline(head: bytes) -> dict[str, object]:
    """Return the keys of a text's beginning by path, four levels deep, each with the first scalar seen there.

    A key without a scalar has None. Whatever the head is, this ends where it stops being JSON.
    """
    found: dict[str, object] = {}
    with suppress(*NOT_JSON):
        for path, scalar in _walk(head):
            if found.get(path) is None:
                found[path] = scalar
    return found


_OPENING = {"start_map": "", "start_array": "item"}
_CLOSING = frozenset({"end_map", "end_array"})


def _walk(head: bytes) -> Iterator[tuple[str, object]]:
    """Yield every key and every scalar with its path; ijson's own paths take quadratic time when nested."""
    names: list[str] = []
    for event, value in ijson.basic_parse(io.BytesIO(head), use_float=True, multiple_values=True):
        if event in _OPENING:
            names.append(_OPENING[event])
        elif event in _CLOSING:
            names.pop()
        elif event == "map_key":
            names[-1] = value[:_OUTLINE_KEY_LENGTH]
        if event not in _OPENING and event not in _CLOSING and 0 < len(names) <= _OUTLINE_DEPTH:
            yield ".".join(names), None if event == "map_key" else value


class Source:
    """The stream as ijson sees it: block by block, each measured before it is handed on."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.start = self.block_start = self.end = rewind(stream)
        self.since_value = 0
        self._meter = DepthMeter()

    def read(self, size: int) -> bytes:
        block = self.stream.read(size)
        self.block_start, self.end = self.end, self.end + len(block)
        self.since_value += len(block)
        if self.since_value > MAX_VALUE_BYTES + BLOCK_BYTES:
            raise InputError(f"one finding is larger than 4 MiB, before byte {self.end}")
        if self._meter.deepest(block) > MAX_DEPTH:
            raise InputError(f"nested deeper than {MAX_DEPTH} levels, after byte {self.block_start}")
        return block


_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS: Final = bytes(set(range(256)) - _STEPS.keys())


class DepthMeter:
    """Follows the nesting of a JSON text that comes in blocks, at the speed of `bytes` methods."""

    def __init__(self) -> None:
        self._depth = 0
        self._inside_string = 0
        self._carry = b""

    def deepest(self, block: bytes) -> int:
        """Return the greatest depth within the next block."""
        brackets = self._outside_strings(block).translate(None, _NO_BRACKETS)
        depths = list(accumulate(map(_STEPS.__getitem__, brackets), initial=self._depth))
        self._depth = depths[-1]
        return max(depths)

    def _outside_strings(self, block: bytes) -> bytes:
        text = self._without_escapes(self._carry + block)
        parts = text.split(b'"')
        outside = b" ".join(parts[self._inside_string :: 2])
        self._inside_string ^= (len(parts) - 1) % 2
        return outside

    def _without_escapes(self, text: bytes) -> bytes:
        """Take out what could hide or feign a quote; a backslash that ends a block waits for the next one."""
        is_odd_end = (len(text) - len(text.rstrip(b"\\"))) % 2
        self._carry = b"\\" if is_odd_end else b""
        whole = text[:-1] if is_odd_end else text
        return whole.replace(b"\\\\", b"").replace(b'\\"', b"")


def rewind(stream: BinaryIO) -> int:
    """Go to the first byte of the text, after a byte order mark and ScoutSuite's assignment, and return its position."""
    stream.seek(0)
    preamble = PREAMBLE.match(stream.read(_LONGEST_PREAMBLE))
    return stream.seek(preamble.end() if preamble else 0)


def broken(source: Source, error: Exception, *, is_sequence: bool) -> InputError:
    """Return the error that says where a text breaks off or stops being JSON."""
    position = _failing_byte(source, is_sequence=is_sequence)
    if position == source.end and "garbage" not in str(error):  # a last number is garbage only once it ends
        return InputError(f"cut off: the file ends at byte {position} in the middle of its JSON")
    return InputError(f"not valid JSON at byte {position} ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    """Return the parser's own words; it spells those about broken UTF-8 as a `bytes` literal."""
    return re.split(r"\n|\\n", str(error))[0].removeprefix("b'").rstrip(".")[:_REASON_LENGTH]


def _failing_byte(source: Source, *, is_sequence: bool) -> int:
    """Parse again and return the byte where that fails; the end of the file where no byte is to blame."""
    sink = _discard_events()
    next(sink)  # a generator takes values only once it has begun
    parser = ijson.basic_parse_coro(sink, use_float=True, multiple_values=is_sequence)
    position = source.start
    with suppress(*NOT_JSON):
        for piece in _pieces(source):
            parser.send(piece)
            position += len(piece)
        parser.close()
    return position


def _pieces(source: Source) -> Iterator[bytes]:
    """Yield what was read once more: in blocks, but the last block byte by byte."""
    source.stream.seek(source.start)
    remaining = source.block_start - source.start
    while block := source.stream.read(min(BLOCK_BYTES, remaining)):
        remaining -= len(block)
        yield block
    yield from (bytes([byte]) for byte in source.stream.read(source.end - source.block_start))


def _discard_events() -> Generator[None, object, None]:
    while True:
        yield
