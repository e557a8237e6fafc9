"""Text from outside, made fit to be shown: what a hostile finding carries must stay text.

A lone surrogate has no UTF-8 and becomes U+FFFD in every format. Shown to people (HTML, mail), control characters
become their pictures (`ESC` is ␛) and the bidirectional controls become U+FFFD, because they can make one resource
name read as another (“Trojan Source”, CVE-2021-42574). Machine formats keep both: their own escapes hold them.
"""

import re
from collections.abc import Mapping

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MOST_DEPTH = 64
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?")
_CONTROL_PICTURES = 0x2400
_KEPT_CONTROLS = {0x09, 0x0A}
_UNSHOWABLE: Mapping[int, int] = {
    **{code: _CONTROL_PICTURES + code for code in range(0x20) if code not in _KEPT_CONTROLS},
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
    **dict.fromkeys((0xFFFE, 0xFFFF), 0xFFFD),
}


def encodable(text: str) -> str:
    """Return the text with every lone surrogate replaced, so that it has a UTF-8 form."""
    return _SURROGATE.sub(REPLACEMENT, text)


def to_utf8(text: str) -> bytes:
    """Encode; lone surrogates become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return encodable(text).encode()


def showable(text: str) -> str:
    """Return the text as a person may see it: no control, surrogate or direction trick, plain line feeds."""
    if text.isprintable():
        return text
    return encodable(_LINE_ENDS.sub("\n", text)).translate(_UNSHOWABLE)


def clip(text: str, most: int) -> str:
    """Return at most `most` characters; where something was cut the end says how much."""
    if len(text) <= most:
        return text
    mark = f" … [{len(text):,} characters, cut]"
    return text[: max(0, most - len(mark))] + mark[-most:]


def excerpt(text: str, most: int) -> str:
    """Return the beginning of a text, at most about `most` characters, ended at a word."""
    if len(text) <= most:
        return text
    return text[:most].rsplit(maxsplit=1)[0].rstrip(" ,;:.") + " …"


def one_line(text: str) -> str:
    """Return the text as a person may see it, on one line."""
    return " ".join(showable(text).split())


def percent(value: float) -> str:
    """Return `75%` for 75.0 and `72.5%` for 72.5."""
    return f"{value:.1f}".removesuffix(".0") + "%"


def encodable_value(value: object, depth: int = 0) -> object:
    """Replace lone surrogates anywhere in a JSON value.

    Raises:
        TypeError: it is nested deeper than any JSON we write.
    """
    if depth > MOST_DEPTH:
        raise TypeError("nested too deep")
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {
            encodable_value(key, depth + 1): encodable_value(entry, depth + 1) for key, entry in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [encodable_value(entry, depth + 1) for entry in value]
    return value


def web_url(text: str) -> str:
    """Return the address if a browser may follow it (`http` or `https`, no spaces or controls), else nothing."""
    return text if _WEB_URL.fullmatch(text) else ""


_WEB_URL = re.compile(r"https?://[^\s\x00-\x20\x7f-\x9f\ud800-\udfff\"'<>\\^`{|}]{1,2000}", re.IGNORECASE)
