"""Column types and text rules that SQLite and Postgres share. Times need none: SQLModel refuses naive ones."""

import hashlib

from sqlalchemy import JSON

from audit.finding_fields import clean, key_text

__all__ = ["JsonColumn", "column_text", "key_text", "short_key"]

JsonColumn = JSON(none_as_null=True)

column_text = clean
"""Returns text that any database stores; what none can becomes U+FFFD."""

_LONGEST_SHORT = 64


def short_key(text: str) -> str:
    """Return text for an index of several columns: itself where it is short, else its digest. Equal where the texts are."""
    stored = clean(text)
    if len(stored) <= _LONGEST_SHORT:
        return stored
    return f"#{hashlib.sha256(stored.encode()).hexdigest()}"
