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
# A line may end after a slash or hyphen anyway, unless a digit follows (Unicode, UAX #14, LB25).
_SEAM = re.compile(r"(?<=[\w:][:._=,;?&@#|+])(?=\w)|(?<=\w[/-])(?=\d)")
_HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_LONG_PIECE = re.compile(rf"[^\s/{BREAK}-]{{21,}}")
_TWELVE = re.compile(r"\S{12}(?=\S{4})")
_SIXTY = re.compile(r"[\w%]{60}(?=\w)")


def title(text: str) -> str:
    """Return a text for a heading: one line, cut at 300 characters."""
    return _breakable(clip(one_line(text), LONGEST_TITLE))


def prose(text: str) -> str:
    """Return a text for a paragraph, cut at 4,000 characters."""
    return _breakable(showable(clip(text, LONGEST_TEXT)).strip())


def cell(text: str) -> str:
    """Return a text for a table, cut at 1,200 characters."""
    return _breakable(showable(clip(text, LONGEST_CELL)).strip())


def address(text: str) -> str:
    """Return a web address, cut at 300 characters; typst knows where those break, and each mark costs a link more."""
    return _marked_after(_SIXTY, clip(text, LONGEST_TITLE))


def _breakable(text: str) -> str:
    return _LONG_WORD.sub(lambda word: _with_seams(word[0]), text)


def _with_seams(word: str) -> str:
    """Let an ARN break after its separators; what is long without any, between humps or after twelve characters."""
    word = _SEAM.sub(BREAK, word)
    word = _LONG_PIECE.sub(lambda piece: _HUMP.sub(BREAK, piece[0]), word)
    return _LONG_PIECE.sub(lambda piece: _marked_after(_TWELVE, piece[0]), word)


def _marked_after(run: re.Pattern[str], text: str) -> str:
    return run.sub(rf"\g<0>{BREAK}", text)
