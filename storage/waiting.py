"""`audit.waiting` as the database is asked for it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Mapped

from audit.waiting import CLOCKS_DIFFER


def has_come(moment: Mapped[Any], now: datetime, *, longest: timedelta) -> ColumnElement[bool]:
    """Return what holds where a moment has come; see `audit.waiting.has_come`."""
    return or_(moment <= now, moment > now + longest + CLOCKS_DIFFER)


def has_passed(since: Mapped[Any], now: datetime, *, span: timedelta) -> ColumnElement[bool]:
    """Return what holds where a span has passed; see `audit.waiting.has_passed`."""
    return or_(since <= now - span, since > now + CLOCKS_DIFFER)
