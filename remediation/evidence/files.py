"""The files of the evidence: the chain's links, and documents whose bytes are the same each time."""

import base64
import json
import zipfile
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from importlib import resources

from audit.anchors import Anchor
from audit.trail import TrailEntry, body_digest


def write_chain(
    archive: zipfile.ZipFile, names: Collection[str], trail: Iterable[TrailEntry], now: datetime
) -> tuple[list[TrailEntry], Anchor | None]:
    """Write every link from the first entry about one of the names on; return those entries and the last link's anchor."""
    own: list[TrailEntry] = []
    head: Anchor | None = None
    with archive.open(file_info("chain.jsonl", now), "w") as chain:
        for entry in trail:
            if is_about(entry, names):
                own.append(entry)
            if own:
                chain.write(_line(_link(entry)))
                head = Anchor.of(entry)
    return own, head


def is_about(entry: TrailEntry, names: Collection[str]) -> bool:
    """Tell whether an entry is about one of these, or about the exception that the rejection of one granted."""
    event = read_event(entry)
    detail = event.get("detail")
    named = detail.get("execution_id") if isinstance(detail, Mapping) else None
    return any(isinstance(name, str) and name in names for name in (event.get("subject"), named))


def read_event(entry: TrailEntry) -> Mapping[str, object]:
    """Return what an entry says; nothing where somebody edited it: it still is a link, and `check.py` says what is wrong with it."""
    try:
        event = json.loads(entry.body)
    except ValueError:
        return {}
    return event if isinstance(event, Mapping) else {}


def _link(entry: TrailEntry) -> Mapping[str, object]:
    return {
        "seq": entry.seq,
        "previous_hash": entry.previous_hash.hex(),
        "body_sha256": body_digest(entry.body).hex(),
        "hash": entry.entry_hash.hex(),
    }


def trail_lines(entries: Iterable[TrailEntry]) -> bytes:
    """Return entries, a line each, with the bytes as they were hashed."""
    return b"".join(_line(_told(entry)) for entry in entries)


def _told(entry: TrailEntry) -> Mapping[str, object]:
    return {"seq": entry.seq, "body_base64": base64.b64encode(entry.body).decode(), **_readable(entry)}


def _readable(entry: TrailEntry) -> Mapping[str, object]:
    try:
        return {"event": json.loads(entry.body)}
    except ValueError:
        return {}


def asset(name: str) -> bytes:
    """Return a file that goes into every zip as it is."""
    return (resources.files("remediation.evidence") / name).read_bytes()


def json_bytes(value: object) -> bytes:
    """Return a value as JSON to read."""
    return (json.dumps(value, indent=2, ensure_ascii=False, default=_spell) + "\n").encode("utf-8", "replace")


def _line(value: Mapping[str, object]) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _spell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(getattr(value, "value", value))


def file_info(name: str, now: datetime) -> zipfile.ZipInfo:
    """Return an entry of the zip with the time given, so that the same evidence is the same bytes."""
    info = zipfile.ZipInfo(name, now.astimezone(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
