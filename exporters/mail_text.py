"""The plain-text part of a mail, made from its HTML: for people whose program shows none, and for filters that mistrust mail without it.

Headings are underlined, links followed by their address, lists marked. A table with `role="presentation"` is layout and falls
apart into its paragraphs; any other becomes lines of cells. What the HTML hides (`display:none`) stays hidden.
"""

import re
from html.parser import HTMLParser

from exporters.mail_page import TextPage

_SKIPPED = frozenset({"script", "style", "title", "template"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_LINES = frozenset({
    "address", "article", "aside", "body", "br", "caption", "dd", "div", "dl", "dt", "footer", "header", "html", "li", "main",
    "nav", "section", "tbody", "tfoot", "thead", "tr",
})  # fmt: skip
_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "pre", "table", "ul", "ol"}
)
_UNDERLINES = {"h1": "=", "h2": "-"}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_BLOCK_STYLE = re.compile(r"display\s*:\s*block", re.IGNORECASE)
_LINKED = re.compile(r"(?:https?://|mailto:)[^\s<>]+", re.IGNORECASE)
_Attributes = dict[str, str | None]


def html_to_text(html: str) -> str:
    """Return the text a person would read, wrapped at 78 columns, ending in one line feed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page.to_text()


class _Reader(HTMLParser):
    """Walks the tags and tells a page what to write."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = TextPage()
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []
        self._hidden_tag = ""
        self._hidden_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if self._hidden_tag:
            self._hidden_depth += tag == self._hidden_tag
        elif tag not in _VOID and (tag in _SKIPPED or _is_hidden(attributes)):
            self._hidden_tag, self._hidden_depth = tag, 1
        else:
            self._break_at(tag)
            if _BLOCK_STYLE.search(attributes.get("style") or ""):
                self.page.end_line()
            self._open(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if not self._hidden_tag:
            self._close(tag)
            self._break_at(tag)
        elif tag == self._hidden_tag:
            self._hidden_depth -= 1
            self._hidden_tag = tag if self._hidden_depth else ""

    def handle_data(self, data: str) -> None:
        if not self._hidden_tag:
            self.page.write(data)

    def _break_at(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.page.end_paragraph()
        elif tag in _LINES:
            self.page.end_line()

    def _open(self, tag: str, attributes: _Attributes) -> None:
        match tag:
            case "a":
                self._links.append((attributes.get("href") or "", self.page.mark()))
            case "img":
                self.page.write(attributes.get("alt") or "")
            case "hr":
                self.page.rule()
            case "pre":
                self.page.is_verbatim = True
            case "ul" | "ol":
                self._lists.append(0 if tag == "ol" else None)
            case "li":
                self.page.begin_item(self._next_marker(), depth=len(self._lists))
            case "table":
                self.page.open_table(is_layout=attributes.get("role") == "presentation")
            case "td" | "th":
                self.page.open_cell(is_heading=tag == "th")

    def _close(self, tag: str) -> None:
        match tag:
            case "a" if self._links:
                self._close_link(*self._links.pop())
            case "h1" | "h2":
                self.page.end_heading(_UNDERLINES[tag])
            case "pre":
                self.page.end_verbatim()
            case "ul" | "ol" if self._lists:
                self._lists.pop()
                self.page.end_list()
            case "td" | "th":
                self.page.close_cell()
            case "tr":
                self.page.close_row()
            case "table":
                self.page.close_table()

    def _close_link(self, target: str, mark: int) -> None:
        words = self.page.since(mark)
        if _LINKED.fullmatch(target) and target.removeprefix("mailto:") != words:
            self.page.write(f" <{target}>")

    def _next_marker(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "- "
        self._lists[-1] += 1
        return f"{self._lists[-1]}. "


def _is_hidden(attributes: _Attributes) -> bool:
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))
