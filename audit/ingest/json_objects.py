"""A list of JSON objects at the speed of orjson, in little memory.

orjson reads whole texts only, so the objects are cut out first. An object ends itself: no beginning of a JSON object is one, too.
Whatever orjson takes from a brace on up to a closing one is therefore exactly the object that begins there, and where to cut may be
guessed: where the object before ended, or where as many braces have closed as opened. What cannot be read this way (broken files, odd
lists, values too large, nests deeper than orjson goes) is read by `json_stream`, which knows how to say what is wrong and where.
"""

import re
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import BinaryIO, Final

import orjson

from audit.ingest.json_stream import MAX_VALUE_BYTES, rewind, stream_values

_BLOCK_BYTES: Final = 2**18
_PATIENCE_BYTES: Final = 2**16
"""How far to follow braces that do not add up, before every closing one is tried: some may stand in texts."""

_MOST_TRIES: Final = 256
_SPACE: Final = b" \t\r\n"
_OPENING: Final = {
    True: re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*(?=\{)"),
    False: re.compile(rb"[ \t\r\n]*(?=\{)"),
}
_AFTER: Final = {
    True: re.compile(rb"\}([ \t\r\n]*(?:,[ \t\r\n]*(?=\{)|\]))"),
    False: re.compile(rb"\}([ \t\r\n]*(?=\{))"),
}


def stream_objects(
    stream: BinaryIO, *, is_list: bool, loads: Callable[[bytes], object] = orjson.loads
) -> Iterator[object]:
    """Yield the members of a list, or documents one after another; see `json_stream.stream_values`.

    `loads` reads an object, and raises `orjson.JSONDecodeError` for what is none.

    Raises:
        InputError: as there.
    """
    objects = _Objects(stream, is_list=is_list, loads=loads)
    yield from objects.read()
    if not objects.is_done:
        yield from islice(stream_values(stream, "item" if is_list else ""), objects.count, None)


class _Objects:
    """Cuts objects out of a stream. `is_done` once that went well to the very end; `count` is how many came."""

    def __init__(self, stream: BinaryIO, *, is_list: bool, loads: Callable[[bytes], object]) -> None:
        self.is_done = False
        self.count = 0
        self._loads = loads
        self._stream = stream
        self._is_list = is_list
        self._text = b""
        self._is_last = False
        self._usual = 0

    def read(self) -> Iterator[object]:
        rewind(self._stream)
        self._more()
        opening = _OPENING[self._is_list].match(self._text)
        if opening is None:
            return
        self._text = self._text[opening.end() :]
        while (yield from self._cut()):
            self._more()
            if len(self._text) > MAX_VALUE_BYTES:
                return

    def _more(self) -> None:
        block = self._stream.read(_BLOCK_BYTES)
        self._is_last = not block
        self._text += block

    def _cut(self) -> Generator[object, None, bool]:
        """Yield the objects that end within the text, and tell whether there may be more to come."""
        start = 0
        while (found := self._next(start)) is not None:
            value, start, is_end = found
            self.count += 1
            yield value
            if is_end:
                self.is_done = self._ends_here(start)
                return False
        self._text = self._text[start:]
        return not self._is_last

    def _next(self, start: int) -> tuple[object, int, bool] | None:
        """Return the object that begins here, where the next one does, and whether there is none."""
        found = self._try_usual_end(start) or self._try_ends(start, only_balanced=True)
        if found is None and (self._is_last or len(self._text) - start > _PATIENCE_BYTES):
            found = self._try_ends(start, only_balanced=False)
        return found

    def _try_usual_end(self, start: int) -> tuple[object, int, bool] | None:
        """Try the closing brace, by its number, that ended the object before: one scanner's objects are alike."""
        place = next(islice(self._ends(start), self._usual, None), None)
        return self._try(start, *place) if place else None

    def _try_ends(self, start: int, *, only_balanced: bool) -> tuple[object, int, bool] | None:
        opened, counted, tries = 0, start, 0
        for number, (end, after) in enumerate(self._ends(start)):
            opened += self._text.count(b"{", counted, end) - self._text.count(b"}", counted, end)
            counted = end
            if opened and only_balanced:
                continue
            if found := self._try(start, end, after):
                self._usual = number
                return found
            tries += 1
            if tries == _MOST_TRIES:
                return None
        return None

    def _try(self, start: int, end: int, after: int) -> tuple[object, int, bool] | None:
        try:
            value = self._loads(self._text[start:end])
        except orjson.JSONDecodeError:
            return None
        is_end = after == len(self._text) or self._text[after - 1 : after] == b"]"
        return value, after, is_end

    def _ends(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield where the object may end and what follows it may begin."""
        for found in _AFTER[self._is_list].finditer(self._text, start):
            yield found.start(1), found.end(1)
        if self._is_last and not self._is_list:
            yield len(self._text.rstrip(_SPACE)), len(self._text)

    def _ends_here(self, place: int) -> bool:
        """Tell whether nothing but white space follows."""
        rest = self._text[place:]
        while not rest.strip(_SPACE):
            rest = self._stream.read(_BLOCK_BYTES)
            if not rest:
                return True
        return False
