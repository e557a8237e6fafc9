"""Column types and text rules that SQLite and Postgres share. Times need none: SQLModel refuses naive ones."""

import re

from sqlalchemy import JSON

KEY_LENGTH = 500

JsonColumn = JSON(none_as_null=True)

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # Postgres keeps no NUL, UTF-8 no half of a surrogate pair


def column_text(text: str) -> str:
    """Return text that any database stores; what none can becomes U+FFFD."""
    if text.isascii() and "\0" not in text:  # nearly every text, and many times faster than the pattern
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def key_text(text: str) -> str:
    """Return text short enough for an index: a Postgres B-tree entry ends at about 2700 bytes."""
    return column_text(text)[:KEY_LENGTH]
