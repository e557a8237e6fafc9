"""Reading the fields of a finding's dictionary: forgiving where that is safe, and clear where it is not."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from audit.errors import InputError

_ONLY_JSON = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_MOST_SHARED_BYTES = 2**14
KEY_LENGTH = 500
# PostgreSQL keeps no NUL in a text, and half of a surrogate pair has no UTF-8.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Controls(dict[str, tuple[str, ...]]):
    """Controls by framework, checked: what `read_compliance` has returned once, it need not look at again."""


def clean(text: str) -> str:
    """Return text that any database keeps; what none does becomes U+FFFD."""
    if text.isascii() and "\0" not in text:  # nearly every text, and many times faster than the pattern
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def key_text(text: str) -> str:
    """Return text short enough for an index: a Postgres B-tree entry ends at about 2700 bytes."""
    return clean(text)[:KEY_LENGTH]


def read_required(record: Mapping[str, object], name: str) -> str:
    """Return a text that must be there, a number as its digits.

    Raises:
        InputError: it is missing, blank or of another kind.
    """
    value = record.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"a finding needs its {name}")
    return clean(value)


def read_text(record: Mapping[str, object], name: str) -> str:
    """Return a text or a number as text, empty where there is none.

    Raises:
        InputError: it is of another kind.
    """
    value = record.get(name)
    if isinstance(value, str):
        return clean(value)
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return clean(str(value))
    raise InputError(f"{name} must be a text")


def read_texts(record: Mapping[str, object], names: Sequence[str]) -> dict[str, str]:
    """Return what `read_text` returns for each of the names.

    Raises:
        InputError: as there.
    """
    texts = {name: record.get(name, "") for name in names}
    try:
        joined = "".join(texts.values())  # type: ignore[arg-type]
    except TypeError:  # not all of them are texts
        joined = "\0"
    if joined.isascii() and "\0" not in joined:  # nearly every finding, looked through at once
        return texts  # type: ignore[return-value]
    return {name: read_text(record, name) for name in names}


def read_instant(value: object) -> datetime | None:
    """Return a time as aware UTC; one without a zone is taken for UTC.

    Raises:
        InputError: it is no time.
    """
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_iso_text(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # an offset can push the year 1 or 9999 out of the calendar
        raise InputError("observed_at must be an ISO 8601 time") from None


def _iso_text(value: object) -> str:
    if not isinstance(value, str):
        raise InputError("observed_at must be an ISO 8601 time")
    return value


def read_compliance(value: object) -> Controls:
    """Return frameworks with their controls; what was read before is returned as the same mapping.

    Raises:
        InputError: it maps no framework to its controls.
    """
    if isinstance(value, Controls):
        return value
    if value is None:
        return Controls()
    if not isinstance(value, Mapping):
        raise InputError("compliance must map a framework to its controls")
    try:
        written = orjson.dumps(value, option=_ONLY_JSON)
    except orjson.JSONEncodeError:  # half of a surrogate pair, or no JSON
        return _checked_compliance(value)
    return _same_compliance(written) if len(written) <= _MOST_SHARED_BYTES else _checked_compliance(value)


# All findings of a check say the same, in a hundred texts: they are checked once, and the findings share the answer.
@lru_cache(maxsize=512)
def _same_compliance(written: bytes) -> Controls:
    return _checked_compliance(orjson.loads(written))


def _checked_compliance(value: Mapping[object, object]) -> Controls:
    return Controls({clean(str(name)): _controls(controls) for name, controls in value.items()})


def _controls(value: object) -> tuple[str, ...]:
    controls = [value] if isinstance(value, str) else value
    if not isinstance(controls, (list, tuple)):
        raise InputError("compliance controls must be a list of texts")
    return tuple(_control(control) for control in controls)


def _control(value: object) -> str:
    if isinstance(value, (str, int, float)):
        return clean(str(value))
    raise InputError("compliance controls must be a list of texts")
