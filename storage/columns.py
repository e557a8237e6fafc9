"""Column types and text rules that SQLite and Postgres share. Times need none: SQLModel refuses naive ones."""

from sqlalchemy import JSON

from audit.finding_fields import clean, key_text

__all__ = ["JsonColumn", "column_text", "key_text"]

JsonColumn = JSON(none_as_null=True)

column_text = clean
"""Returns text that any database stores; what none can becomes U+FFFD."""
