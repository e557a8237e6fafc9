"""Lists of findings in JSON: bare, one object after another, or wrapped by what handed them over."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import BinaryIO, Final

import orjson

from audit.findings import Finding
from audit.ingest.fields import member
from audit.ingest.json_objects import stream_objects
from audit.ingest.json_stream import PREAMBLE, opening_byte, outline, stream_values
from audit.ingest.model import Item, to_items

_KEYS: Final = ("Findings", "findings")
_EVENT: Final = "detail.findings"
_HEAD_BYTES: Final = 2**16


def read_list(
    stream: BinaryIO, convert: Callable[[object], Finding], loads: Callable[[bytes], object] = orjson.loads
) -> Iterator[Item]:
    """Read a bare list, or one object after another; `loads` reads an object, see `stream_objects`."""
    return to_items(_bare(stream, loads), convert)


def read_wrapped(stream: BinaryIO, convert: Callable[[object], Finding]) -> Iterator[Item]:
    """Read a list that may be wrapped: `{"Findings": […]}`, or EventBridge events one after another."""
    return to_items(_unwrapped(stream), convert)


def has_members(head: bytes, needed: AbstractSet[str]) -> bool:
    """Tell whether the first findings of a list, wrapped or not, have all these members between them."""
    paths = outline(head).keys()
    prefixes = ("", "item.", f"{_EVENT}.item.", *(f"{key}.item." for key in _KEYS))
    return any(all(prefix + name in paths for name in needed) for prefix in prefixes)


def first_value(head: bytes, name: str) -> object:
    """Return the first scalar that a finding of a list has at a path, None where none shows in the head."""
    found = outline(head)
    prefixes = ("", "item.", f"{_EVENT}.item.", *(f"{key}.item." for key in _KEYS))
    return next((found[prefix + name] for prefix in prefixes if prefix + name in found), None)


def wrapper_is_empty(head: bytes) -> bool:
    """Tell whether this is Security Hub's answer without any finding in it: `{"Findings": []}`."""
    paths = outline(head).keys()
    return "Findings" in paths and not any(path.startswith("Findings.") for path in paths)


def _bare(stream: BinaryIO, loads: Callable[[bytes], object] = orjson.loads) -> Iterator[object]:
    return stream_objects(stream, is_list=opening_byte(stream) == b"[", loads=loads)


def _unwrapped(stream: BinaryIO) -> Iterator[object]:
    if opening_byte(stream) == b"[":
        return _bare(stream)
    stream.seek(0)
    paths = outline(PREAMBLE.sub(b"", stream.read(_HEAD_BYTES), count=1)).keys()
    if _EVENT in paths:
        return _of_events(stream)
    key = next((key for key in _KEYS if key in paths), None)
    return stream_values(stream, f"{key}.item") if key else _bare(stream)


def _of_events(stream: BinaryIO) -> Iterator[object]:
    for event in stream_values(stream, ""):
        findings = member(event, "detail", "findings")
        yield from findings if isinstance(findings, list) else [findings]
