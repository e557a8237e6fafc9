"""One JSON object, written member by member, so that a list in it can be longer than the memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from exporters.outcome import ByteSink
from exporters.text import encodable_value


def to_json(value: object) -> bytes:
    """Return the value as compact JSON; lone surrogates become U+FFFD.

    Raises:
        TypeError: something in it is no JSON value.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(encodable_value(value))


def to_pretty_json(value: object) -> bytes:
    """Return the value as JSON indented by two spaces; lone surrogates become U+FFFD.

    Raises:
        TypeError: something in it is no JSON value.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError:
        return orjson.dumps(encodable_value(value), option=orjson.OPT_INDENT_2)


@dataclass(slots=True)
class JsonDocument:
    """Writes `{`, members in the order of the calls, and `}`. `pretty` gives the bytes that orjson would indent."""

    out: ByteSink
    pretty: bool = False
    _lead: bytes = b"{"

    def member(self, name: str, value: object) -> None:
        """Write a member whose value is in memory."""
        self._begin(name)
        self.out.write(self._indented(value, b"\n  "))

    def array(self, name: str, fragments: Iterable[bytes]) -> None:
        """Write a member that is a list, as its encoded items (see `item`) stream by."""
        self._begin(name)
        write, between = self.out.write, b",\n    " if self.pretty else b","
        lead = b"[" + between[1:]
        for fragment in fragments:
            write(lead)
            write(fragment)
            lead = between
        write((b"\n  ]" if self.pretty else b"]") if lead is between else b"[]")

    @property
    def item(self) -> Callable[[object], bytes]:
        """Return what encodes one item of a list; raises TypeError where something in it is no JSON value."""
        return self._indented_item if self.pretty else to_json

    def close(self) -> None:
        """Write the end; the object has at least one member by then."""
        self.out.write(b"\n}" if self.pretty else b"}")

    def _begin(self, name: str) -> None:
        colon = b": " if self.pretty else b":"
        self.out.write(self._lead + (b"\n  " if self.pretty else b"") + to_json(name) + colon)
        self._lead = b","

    def _indented_item(self, value: object) -> bytes:
        return self._indented(value, b"\n    ")

    def _indented(self, value: object, line: bytes) -> bytes:
        """Indent deeper by moving the line starts; inside strings JSON escapes line feeds, so none is hit."""
        return to_pretty_json(value).replace(b"\n", line) if self.pretty else to_json(value)
