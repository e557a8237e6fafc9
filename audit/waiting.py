"""Times that were stored to be waited for, and a clock that was ahead when they were.

Once such a clock is right again, what it stored lies far in the future. Whoever took that at its word would wait as long as the clock had
been wrong by; so what lies further ahead than anybody ever means to wait is taken for what has come.
"""

from datetime import datetime, timedelta

# More than the clocks of two machines differ by that are kept right; so much longer something may have to wait.
CLOCKS_DIFFER = timedelta(minutes=1)


def has_come(moment: datetime, now: datetime, *, longest: timedelta) -> bool:
    """Tell whether a moment has come that was stored as at most `longest` ahead."""
    return moment <= now or moment > now + longest + CLOCKS_DIFFER


def has_passed(since: datetime, now: datetime, *, span: timedelta) -> bool:
    """Tell whether a span has passed since something was stored as having happened just then."""
    return since <= now - span or since > now + CLOCKS_DIFFER
