"""Our own JSON: the specification's report, or a bare list of its findings."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import BinaryIO

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.fields import instant
from audit.ingest.json_stream import holds_list, opening_byte, outline, stream_values
from audit.ingest.model import Format, Item, to_items

_NEEDED = ("id", "title", "severity")
_EMPTY_LIST = re.compile(rb"\s*\[\s*\]\s*")


def _sniff(head: bytes) -> bool:
    if _EMPTY_LIST.fullmatch(head):
        return True
    paths = outline(head).keys()
    if (
        "metadata.export_format" in paths
        or _are_findings(paths, "findings.item.")
        or _are_findings(paths, "item.")
    ):
        return True
    return "findings" in paths and not any(path.startswith("findings.") for path in paths)


def _are_findings(paths: AbstractSet[str], prefix: str) -> bool:
    return all(prefix + name in paths for name in _NEEDED)


def _stated_time(head: bytes) -> datetime | None:
    found = outline(head)
    return instant(found.get("metadata.generated_at")) or instant(found.get("metadata.exported_at"))


def _read(stream: BinaryIO) -> Iterator[Item]:
    if opening_byte(stream) == b"[":
        return to_items(stream_values(stream, "item"), Finding.from_dict)
    return _read_report(stream)


def _read_report(stream: BinaryIO) -> Iterator[Item]:
    items = to_items(stream_values(stream, "findings.item"), Finding.from_dict)
    first = next(items, None)
    if first is not None:
        yield first
        yield from items
    elif not holds_list(stream, "findings"):
        raise InputError("holds no list of findings")


FORMAT = Format("Countersign JSON", _sniff, _read, _stated_time)
