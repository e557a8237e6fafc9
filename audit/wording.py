"""Words for people that all packages share."""

import difflib
from collections.abc import Iterable
from datetime import timedelta

LONGEST = 80


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a typing error most likely meant, compared in any case; None if none is near.

    Only the first 80 characters of `word` count: it comes from outside, and comparing takes quadratic time.
    """
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold()[:LONGEST], by_folded, n=1)
    return by_folded[close[0]] if close else None


def span_words(span: timedelta) -> str:
    """Return a length of time for people, in the largest unit of which there are two: `3 days`, `20 hours`, `5 minutes`."""
    for unit, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if span >= 2 * length:
            return f"{round(span / length):,} {unit}"
    minutes = round(span / timedelta(minutes=1))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
