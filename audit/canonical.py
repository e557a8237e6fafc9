"""One way to write a JSON value as bytes, so that equal values have equal digests.

The rules are those of RFC 8785 for what we allow in: keys sorted, no white space, UTF-8, numbers only as
integers within ±(2^53 - 1). Floats are refused, because their text differs between writers; lone surrogates are refused,
because they have no UTF-8. RFC 8785 sorts keys by UTF-16 unit and we by code point; that differs
only beyond the Basic Multilingual Plane, where we refuse keys.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from audit.errors import InputError

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]
_MAX_SAFE_INTEGER = 2**53 - 1
_MAX_DEPTH = 32
_LAST_BMP = "\uffff"


def canonical_bytes(value: object) -> bytes:
    """Return the value's only spelling.

    Raises:
        InputError: something in it has no single spelling (a float, a set, a lone surrogate, a deep nest).
    """
    _check(value, depth=0)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _check(value: object, *, depth: int) -> None:
    if isinstance(value, dict):
        for key in value:
            if not (isinstance(key, str) and key.isascii()):
                _check_key(key)
        _check_entries(value.values(), depth=depth)
    elif isinstance(value, (list, tuple)):
        _check_entries(value, depth=depth)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        _check_integer(value)
    elif value is not None:
        raise InputError(f"a {type(value).__name__} has no canonical form")


def _check_entries(entries: Iterable[object], *, depth: int) -> None:
    """Check what an object or a list holds. Texts of ASCII, which nearly all are, are passed by here, without a call."""
    if depth >= _MAX_DEPTH:
        raise InputError("nested too deep to be written canonically")
    for entry in entries:
        if not (isinstance(entry, str) and entry.isascii()):
            _check(entry, depth=depth + 1)


def _check_integer(value: int) -> None:
    if abs(value) > _MAX_SAFE_INTEGER:
        raise InputError("an integer beyond 2^53 has no canonical form")


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError("a lone surrogate has no canonical form") from None


def _check_key(key: object) -> None:
    if not isinstance(key, str) or max(key, default="") > _LAST_BMP:
        raise InputError("a key must be a text within the Basic Multilingual Plane")
    _check_text(key)
