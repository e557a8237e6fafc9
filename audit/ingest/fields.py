"""Reading loosely typed records without trusting them: what is missing or of the wrong kind counts as empty."""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from audit.finding_fields import Controls, read_compliance

_FIRST_MILLISECOND_STAMP = 10**11
"""As seconds this is the year 5138; as milliseconds 1973. Prowler writes seconds, AWS milliseconds."""


_MOST_SHARED_BYTES = 2**14


def member(record: object, *path: str | int) -> object:
    """Return what stands at a path of keys and list places, None where it ends early."""
    for step in path:
        if isinstance(record, dict):  # not `Mapping`: that check costs ten times as much
            record = record.get(step)
        elif isinstance(record, list) and isinstance(step, int):
            record = record[step] if step < len(record) else None
        else:
            return None
    return record


def text(record: object, *path: str | int) -> str:
    """Return the text at a path, a number as its digits, else an empty text."""
    for step in path:  # `member` once more: of all that is done to a finding, this is done most
        record = record.get(step) if isinstance(record, dict) else member(record, step)
    return record.strip() if isinstance(record, str) else _as_text(record)


def texts(record: object, *path: str | int) -> list[str]:
    """Return the texts of the list at a path, a lone text as a list of one."""
    value = member(record, *path)
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in map(_as_text, entries) if entry]


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def first_text(record: object, *names: str) -> str:
    """Return the first of these members that is no empty text."""
    return next((found for name in names if (found := text(record, name))), "")


def controls_by_framework(frameworks: object) -> Controls:
    """Return a mapping of frameworks to controls without what is no text; empty where it is no mapping."""
    if isinstance(frameworks, Controls):
        return frameworks
    if not isinstance(frameworks, dict):
        return Controls()
    try:
        written = orjson.dumps(frameworks)
    except orjson.JSONEncodeError:  # half of a surrogate pair
        return _only_texts(frameworks)
    return _same_controls(written) if len(written) <= _MOST_SHARED_BYTES else _only_texts(frameworks)


# Every finding of a check names the same hundred controls.
@lru_cache(maxsize=512)
def _same_controls(written: bytes) -> Controls:
    return _only_texts(orjson.loads(written))


def _only_texts(frameworks: dict[str, object]) -> Controls:
    named = {str(name): controls for name in frameworks if (controls := texts(frameworks, name))}
    return read_compliance(named)


def derived_id(scanner: str, check: str, *about: str) -> str:
    """Return an id for a finding whose scanner gives none: the same for the same finding in every report."""
    digest = hashlib.sha256("\0".join(about).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{scanner}-{check}-{digest[:16]}"


def first_url(*candidates: str) -> str:
    """Return the first candidate that is a web address, else an empty text."""
    return next((url for url in candidates if url.lower().startswith(("https://", "http://"))), "")


def instant(stated: object, epoch: object = None) -> datetime | None:
    """Return a time as aware UTC, None if there is none to be read.

    Args:
        stated: ISO 8601. With an offset it wins; without one the epoch does, because Prowler writes the
            local time of the machine it ran on there.
        epoch: seconds or milliseconds since 1970.
    """
    moment = _from_iso(stated)
    if moment is None or moment.tzinfo is None:
        moment = _from_epoch(epoch) or moment
    return _in_utc(moment) if moment else None


def _from_iso(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


def _from_epoch(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value / 1000 if value >= _FIRST_MILLISECOND_STAMP else value, UTC)
    except (ValueError, OverflowError, OSError):  # beyond the calendar, or beyond the platform's
        return None


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # the offset pushes the year 1 or 9999 out of the calendar
        return None
