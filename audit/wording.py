"""Words for people that all packages share."""

import difflib
from collections.abc import Iterable

LONGEST = 80


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a typing error most likely meant, compared in any case; None if none is near.

    Only the first 80 characters of `word` count: it comes from outside, and comparing takes quadratic time.
    """
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold()[:LONGEST], by_folded, n=1)
    return by_folded[close[0]] if close else None
