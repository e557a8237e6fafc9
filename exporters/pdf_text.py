"""Text for the PDF: showable, of a bounded length, and told where its long words may break."""

import re

from exporters.text import clip, one_line, showable

BREAK = "\x1f"
"""Marks a place where a line may end. `showable` leaves no such control behind, so none comes from outside; the
template puts an empty space there, and what is copied out of the PDF holds nothing of it."""

LONGEST_TITLE = 300
LONGEST_TEXT = 4_000
LONGEST_CELL = 1_200
_LONG_WORD = re.compile(r"\S{21,}")
_SEAM = re.compile(r"(?<=[/:._=,;?&@#|+-])(?=[^/:._=,;?&@#|+-])|(?<=[a-z\d])(?=[A-Z])")
_WIDE_PIECE = re.compile(r"\w{20}(?=\w)|\S{40}(?=\S)")


def title(text: str) -> str:
    """Return a text for a heading: one line, cut at 300 characters."""
    return _breakable(clip(one_line(text), LONGEST_TITLE))


def prose(text: str) -> str:
    """Return a text for a paragraph, cut at 4,000 characters."""
    return _breakable(showable(clip(text, LONGEST_TEXT)).strip())


def cell(text: str) -> str:
    """Return a text for a table, cut at 1,200 characters."""
    return _breakable(showable(clip(text, LONGEST_CELL)).strip())


def _breakable(text: str) -> str:
    return _LONG_WORD.sub(lambda word: _with_seams(word[0]), text)


def _with_seams(word: str) -> str:
    """Let an ARN break after its separators, and what has none of them after every twenty characters."""
    pieces = _SEAM.sub(BREAK, word).split(BREAK)
    return BREAK.join(_WIDE_PIECE.sub(lambda piece: piece[0] + BREAK, part) for part in pieces)
