"""The text of a slash command as words.

Slack sends one string. People paste from documents (curly quotes) and Slack rewrites what it recognises
(docs.slack.dev/interactivity/implementing-slash-commands, `should_escape`): `<@U1|ana>`, `<#C1|security>`,
`<https://…|label>`, and `&`, `<`, `>` as entities.
"""

import re

from audit.errors import InputError

LONGEST_COMMAND = 1000
MOST_WORDS = 150  # a rejection ends with its reason, in words of its own
_CURLY = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"') | {"\u2018": "'", "\u2019": "'"}
)
_WORD = re.compile(
    r"""
      <(?P<link>[^<>]*)>
    | "(?P<double>[^"]*)"
    | '(?P<single>[^']*)'(?!\S)
    | (?P<bare>[^\s<"]+ | <)
    """,
    re.VERBOSE,
)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def split_words(text: str) -> list[str]:
    """Return the words of a command; a quoted run of words is one word.

    A mention becomes `@U1` or `#C1`, a link what the person had typed.

    Raises:
        InputError: too long, too many words, or a quote that nobody closed.
    """
    if len(text) > LONGEST_COMMAND:
        raise InputError(f"That is too long: a command has at most {LONGEST_COMMAND:,} characters.")
    words, position, text = list[str](), 0, text.translate(_CURLY).strip()
    while position < len(text):
        word, position = _next_word(text, position)
        words.append(word)
        if len(words) > MOST_WORDS:
            raise InputError(f"That is too much: a command has at most {MOST_WORDS} words.")
    return words


def _next_word(text: str, position: int) -> tuple[str, int]:
    """Return the word that begins here, and where the next one begins."""
    parts: list[str] = []
    while position < len(text) and not text[position].isspace():
        match = _WORD.match(text, position)
        if match is None:
            raise InputError("A quote was opened and not closed. Close it, or leave it out.")
        parts.append(_meaning(match))
        position = match.end()
    while position < len(text) and text[position].isspace():
        position += 1
    return "".join(parts), position


def _meaning(match: re.Match[str]) -> str:
    if match["link"] is not None:
        return _unlink(match["link"])
    quoted = match["double"] if match["double"] is not None else match["single"]
    return _unescape(match["bare"] if quoted is None else quoted)


def _unlink(inside: str) -> str:
    """Return what stood there before Slack made a link of it; for people and channels, their ids."""
    target, _, label = inside.partition("|")
    if target[:1] in {"@", "#"}:
        return target
    return _unescape(label or target.removeprefix("mailto:"))


def _unescape(text: str) -> str:
    for entity, letter in _ENTITIES:
        text = text.replace(entity, letter)
    return text
