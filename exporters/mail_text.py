"""The plain-text part of a mail, made from its HTML: for people whose program shows no HTML, and for filters that mistrust mail without it.

Headings are underlined, links followed by their address, lists marked; a table with `role="presentation"` is layout and falls
apart into its paragraphs, any other becomes lines of cells. What the HTML hides (`display:none`) stays hidden.
"""

import re
import textwrap
from dataclasses import dataclass, field
from html.parser import HTMLParser

from exporters.text import showable

_WIDTH = 78
_SKIPPED = frozenset({"script", "style", "title", "template"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "dd", "div", "dl", "dt", "footer", "form", "header", "html", "main", "nav", "section",
})  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "pre", "table", "ul", "ol"})  # fmt: skip
_UNDERLINES = {"h1": "=", "h2": "-"}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_LINKED = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_Attributes = list[tuple[str, str | None]]


def html_to_text(html: str) -> str:
    """Return the text a person would read, wrapped at 78 columns, ending in one line feed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


@dataclass(slots=True)
class _Table:
    is_layout: bool
    cells: list[str] = field(default_factory=list)
    has_only_headers: bool = True


class _Reader(HTMLParser):
    """Collects lines. `_words` is the line being read, `_lines` what is done."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._words: list[str] = []
        self._marker = ""
        self._lists: list[int | None] = []
        self._tables: list[_Table] = []
        self._links: list[tuple[str, int]] = []
        self._hidden_tag = ""
        self._hidden_depth = 0
        self._is_verbatim = False

    def text(self) -> str:
        """Return everything read."""
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n") + "\n"

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:
        if self._hidden_tag:
            self._hidden_depth += tag == self._hidden_tag
        elif tag not in _VOID and (tag in _SKIPPED or _hides(dict(attrs))):
            self._hidden_tag, self._hidden_depth = tag, 1
        else:
            self._open(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if not self._hidden_tag:
            self._close(tag)
        elif tag == self._hidden_tag:
            self._hidden_depth -= 1
            if not self._hidden_depth:
                self._hidden_tag = ""

    def handle_data(self, data: str) -> None:
        if self._hidden_tag:
            return
        if self._is_verbatim:
            *whole, rest = (*self._words, data)[-1].split("\n")
            self._lines.extend(showable(line) for line in whole)
            self._words = [rest]
        else:
            self._words.append(showable(data))

    def _open(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in _PARAGRAPHS:
            self._end_paragraph()
        elif tag in _BLOCKS or tag in {"br", "tr"}:
            self._end_line()
        match tag:
            case "a":
                self._links.append((attributes.get("href") or "", len(self._words)))
            case "img":
                self._words.append(showable(attributes.get("alt") or ""))
            case "hr":
                self._end_line()
                self._lines.append("-" * 20)
            case "pre":
                self._is_verbatim = True
            case "ul" | "ol":
                self._lists.append(0 if tag == "ol" else None)
            case "li":
                self._end_line()
                self._marker = self._next_marker()
            case "table":
                self._tables.append(_Table(is_layout=attributes.get("role") == "presentation"))
            case "td" | "th":
                self._open_cell(tag)

    def _close(self, tag: str) -> None:
        match tag:
            case "a" if self._links:
                self._close_link(*self._links.pop())
            case "h1" | "h2":
                self._end_heading(_UNDERLINES[tag])
            case "pre":
                self._end_line()
                self._is_verbatim = False
            case "td" | "th":
                self._close_cell()
            case "tr":
                self._close_row()
            case "table" if self._tables:
                self._close_row()
                self._tables.pop()
            case "ul" | "ol" if self._lists:
                self._end_line()
                self._lists.pop()
        if tag in _PARAGRAPHS:
            self._end_paragraph()
        elif tag in _BLOCKS or tag == "li":
            self._end_line()
