"""One CSV cell, as RFC 4180 quotes it, and never as a formula a spreadsheet would run.

A cell that begins with one of `GUARDED` gets an apostrophe before it (OWASP “CSV Injection”, ASVS 1.2.10, CWE-1236; quoting
alone does not stop Excel). That changes the data, and AWS tag values may begin so, hence the raw mode for machines.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from audit.errors import InputError
from exporters.text import clip, to_utf8

GUARDED = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001 - the full-width forms are what is meant
LONGEST_CELL = 32_767
DELIMITERS = ",;\t|"
LINE_END = b"\r\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class CsvStyle:
    """How cells are written.

    By default for people: with a byte order mark, so that Excel reads UTF-8, guarded, and no cell longer than Excel's 32,767
    characters. `raw` is for machines: none of the three, the data as it is.

    Raises:
        InputError: a delimiter other than comma, semicolon, tab or bar.
    """

    delimiter: str = ","
    raw: bool = False

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter not in DELIMITERS:
            raise InputError(f"“{self.delimiter}” is no CSV delimiter: use one of , ; | or a tab")

    @property
    def beginning(self) -> bytes:
        """Return what the file starts with."""
        return b"" if self.raw else BYTE_ORDER_MARK

    def cell_writer(self) -> Callable[[str], bytes]:
        """Return the function that turns a text into a cell."""
        delimiter, raw = self.delimiter, self.raw

        def cell(text: str) -> bytes:
            shown = text if raw else _guarded(text)
            if '"' in shown or delimiter in shown or "\n" in shown or "\r" in shown:
                shown = '"' + shown.replace('"', '""') + '"'
            return to_utf8(shown)

        return cell

    def line(self, cells: Iterable[bytes]) -> bytes:
        """Join written cells to a line; a lone empty cell is quoted, or readers would see no row at all."""
        return (self.delimiter.encode().join(cells) or b'""') + LINE_END

    def row(self, texts: Iterable[str]) -> bytes:
        """Return one line of texts; for heads and short tables."""
        return self.line(map(self.cell_writer(), texts))


def _guarded(text: str) -> str:
    if text[:1] in GUARDED:
        text = f"'{text}"
    return clip(text, LONGEST_CELL)
