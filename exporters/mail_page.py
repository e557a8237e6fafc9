"""A page of plain text that is written word by word: wraps paragraphs, underlines headings, lays rows out as lines."""

import re
import textwrap
from dataclasses import dataclass, field

from exporters.text import showable

_WIDTH = 78
_RULE = "-" * 20


@dataclass(slots=True)
class _Table:
    is_layout: bool
    is_in_cell: bool = False
    cells: list[str] = field(default_factory=list)
    has_only_headings: bool = True


@dataclass(slots=True)
class TextPage:
    """`_words` is the line being written, `_lines` are done. Inside a table's cell nothing ends a line but the row."""

    is_verbatim: bool = False
    _lines: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _tables: list[_Table] = field(default_factory=list)
    _marker: str = ""
    _indent: str = ""

    def to_text(self) -> str:
        """Return all that was written, with at most one empty line between two others."""
        while self._tables:
            self.close_table()
        self.end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n") + "\n"

    def write(self, text: str) -> None:
        """Add text to the line; in verbatim mode its line feeds count."""
        if not self.is_verbatim or self._is_in_cell:
            self._words.append(showable(text))
            return
        first, *others = showable(text).split("\n")
        self._words.append(first)
        for line in others:
            self._end_verbatim_line()
            self._words.append(line)

    def rule(self) -> None:
        """Draw a line across."""
        self.end_line()
        self._lines.append(_RULE)

    def mark(self) -> int:
        """Return a place to measure from with `since`."""
        return len(self._words)

    def since(self, mark: int) -> str:
        """Return what the line gained since then."""
        return _collapse(self._words[mark:])

    def end_line(self) -> None:
        """Put the line down, wrapped; an empty one leaves no trace."""
        if self._is_in_cell:
            self._words.append(" ")
        elif text := self._take():
            self._lines.append(self._wrap(text))

    def end_paragraph(self) -> None:
        """End the line and leave one empty."""
        self.end_line()
        if not self._is_in_cell and not self._marker:
            self._lines.append("")
            self._indent = ""

    def end_heading(self, underline: str) -> None:
        """Put the line down, underlined."""
        if self._is_in_cell or not (text := self._take()):
            return
        wrapped = self._wrap(text)
        self._lines += [wrapped, underline * max(map(len, wrapped.split("\n")))]

    def end_verbatim(self) -> None:
        """Put the last line down as it stands and wrap again from here."""
        if self.is_verbatim and not self._is_in_cell:
            self._end_verbatim_line()
        self.is_verbatim = False

    def begin_item(self, marker: str, *, depth: int) -> None:
        """Begin a list's entry."""
        if not self._is_in_cell:
            self._marker = "  " * max(0, depth - 1) + marker
            self._indent = " " * len(self._marker)

    def end_list(self) -> None:
        """Forget the mark of an entry that stayed empty."""
        self.end_line()
        self._marker = ""

    def open_table(self, *, is_layout: bool) -> None:
        """Begin a table; one within a cell is part of that cell's text."""
        self._tables.append(_Table(is_layout=is_layout or self._is_in_cell))

    def open_cell(self, *, is_heading: bool) -> None:
        """Begin a cell, ending one that was left open."""
        self.close_cell()
        if not self._tables or self._tables[-1].is_layout:
            self.end_line()
            return
        self._tables[-1].is_in_cell = True
        self._tables[-1].has_only_headings &= is_heading

    def close_cell(self) -> None:
        """End a cell."""
        if self._tables and self._tables[-1].is_in_cell:
            self._tables[-1].cells.append(self._take())
            self._tables[-1].is_in_cell = False
        else:
            self.end_line()

    def close_row(self) -> None:
        """Put a row down: its cells that say something, on one line."""
        self.close_cell()
        if not self._tables or self._tables[-1].is_layout:
            return
        table = self._tables[-1]
        if line := " | ".join(filter(None, table.cells)):
            self._lines.append(line)
            self._lines += ["-" * min(len(line), _WIDTH)] if table.has_only_headings else []
        table.cells, table.has_only_headings = [], True

    def close_table(self) -> None:
        """End a table and whatever it left open."""
        self.close_row()
        del self._tables[-1:]

    @property
    def _is_in_cell(self) -> bool:
        return any(table.is_in_cell for table in self._tables)

    def _take(self) -> str:
        text = _collapse(self._words)
        self._words.clear()
        return text

    def _end_verbatim_line(self) -> None:
        self._lines.append("".join(self._words).rstrip())
        self._words.clear()

    def _wrap(self, text: str) -> str:
        first, self._marker = self._marker or self._indent, ""
        return textwrap.fill(
            text,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=self._indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _collapse(words: list[str]) -> str:
    return " ".join("".join(words).split())
