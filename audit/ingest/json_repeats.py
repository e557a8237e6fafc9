"""A member that many objects share to the byte, parsed once: all findings of a check name the same hundred controls.

Reading those again and again was half of reading a finding. Where an object holds the same bytes as one of its kind did before, a mark
is put in their place before orjson sees the object, and what the bytes meant in the place of the mark afterwards. This is exact: the bytes
begin with the member's name and a colon, which inside a text would have to be escaped, so they stand for a name and a whole value
wherever they are; and an object that does not have its mark where the member belongs is read once more as it is.
"""

import json
import re
import secrets
from collections.abc import Callable
from typing import Final

import orjson

MOST_KINDS: Final = 1000
_MOST_BYTES: Final = 2**14
_DECODER: Final = json.JSONDecoder()


class Repeats:
    """Reads the objects of one file.

    Args:
        kind: finds what tells kinds of objects apart, as its first group. A guess: it decides where to look, not what is read.
        path: the member that repeats, and what it is in.
        convert: what to make of its value; has to be harmless to do to its own result.
    """

    def __init__(
        self, *, kind: re.Pattern[bytes], path: tuple[str, str], convert: Callable[[object], object]
    ) -> None:
        self._kind = kind
        self._path = path
        self._convert = convert
        self._name = f'"{path[1]}"'.encode()
        self._opening = re.compile(re.escape(self._name) + rb"[ \t\r\n]*:[ \t\r\n]*(?=\{)")
        self._mark = secrets.token_hex(16)
        self._replacement = self._name + f':"{self._mark}"'.encode()
        self._known: dict[bytes, tuple[bytes, object] | None] = {}

    def loads(self, raw: bytes) -> object:
        """Return what `orjson.loads` returns, but for the member, which is converted where it repeats.

        Raises:
            orjson.JSONDecodeError: as there.
        """
        found = self._kind.search(raw)
        kind = found[1] if found else b""
        known = self._known.get(kind)
        if known is None:
            value = orjson.loads(raw)
            if kind not in self._known:
                self._learn(kind, raw)
            return value
        start = raw.find(self._name)
        if start < 0 or not raw.startswith(known[0], start):
            return orjson.loads(raw)
        value = orjson.loads(raw[:start] + self._replacement + raw[start + len(known[0]) :])
        if self._put(value, known[1]):
            return value
        self._known[kind] = None
        return orjson.loads(raw)

    def _put(self, value: object, meant: object) -> bool:
        """Put what was meant into the place of the mark; tell whether the mark was there."""
        outer, inner = self._path
        holder = value.get(outer) if isinstance(value, dict) else None
        if not isinstance(holder, dict) or holder.get(inner) != self._mark:
            return False
        holder[inner] = meant
        return True

    def _learn(self, kind: bytes, raw: bytes) -> None:
        """Remember the bytes of the first member of that name, which need not be the one that is meant; None where there are none."""
        if len(self._known) < MOST_KINDS:
            self._known[kind] = self._find(raw)

    def _find(self, raw: bytes) -> tuple[bytes, object] | None:
        opening = self._opening.search(raw)
        if opening is None:
            return None
        rest = raw[opening.end() : opening.end() + _MOST_BYTES].decode("utf-8", "ignore")
        try:
            value, length = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError):
            return None
        return raw[opening.start() : opening.end()] + rest[:length].encode(), self._convert(value)
