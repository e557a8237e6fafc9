"""Tables of findings: any delimiter, a byte order mark, quoted line breaks; row by row in little memory.

A row with more or fewer fields than the header fails the whole file: then quotes or delimiters are broken somewhere, and
nobody can tell how many findings one field has swallowed.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from audit.errors import InputError
from audit.findings import Finding
from audit.ingest.json_stream import rewind
from audit.ingest.model import Format, Item, Rejected, no_stated_time

MAX_LINE_BYTES: Final = 2**20
_NO_DELIMITERS: Final = frozenset('"_ \r\n')
_FIRST_LINE: Final = 2**14

Row = Mapping[str, str]
"""Cells by column, stripped; the columns' names are case-folded."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a header row says."""

    delimiter: str
    columns: tuple[str, ...]


def csv_format(name: str, needed: Collection[str], convert: Callable[[Row], Finding]) -> Format:
    """Return a format of tables that have the needed columns, each row a finding; such tables state no time for themselves."""

    def sniff(head: bytes) -> bool:
        return find_table(head, needed) is not None

    def read(stream: BinaryIO) -> Iterator[Item]:
        return read_table(stream, needed, convert)

    return Format(name, sniff, read, no_stated_time)


def find_table(head: bytes, needed: Collection[str]) -> Table | None:
    """Return the table whose header, the head's first line, has all the columns, whatever stands between them.

    Args:
        head: the file's beginning, without a byte order mark.
        needed: names of columns, in any case.
    """
    first_line = head.lstrip(b"\r\n").partition(b"\n")[0][:_FIRST_LINE].decode("utf-8", "replace")
    wanted = {name.casefold() for name in needed}
    for delimiter in _delimiters(first_line):
        table = Table(delimiter, _columns(first_line, delimiter))
        if wanted <= set(table.columns):
            return table
    return None


def _delimiters(line: str) -> list[str]:
    return [
        character
        for character in dict.fromkeys(line)
        if not character.isalnum() and character not in _NO_DELIMITERS
    ]


def _columns(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        names = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return ()
    return tuple(name.strip().casefold() for name in names)


def read_table(
    stream: BinaryIO, needed: Collection[str], convert: Callable[[Row], Finding]
) -> Iterator[Item]:
    """Yield what `convert` makes of each row, or the row rejected with its line and the reason it raises.

    Raises:
        InputError: a ragged row, an overlong line or field, broken quotes, NUL bytes or no UTF-8; names the line. Raised when
            iteration gets there.
    """
    for position, (line, row) in enumerate(_rows(stream, needed), start=1):
        try:
            item: Item = convert(row)
        except InputError as error:
            item = Rejected(position, f"line {line}: {error}")
        yield item


def _rows(stream: BinaryIO, needed: Collection[str]) -> Iterator[tuple[int, Row]]:
    rewind(stream)
    head = stream.read(_FIRST_LINE)
    table = find_table(head, needed)
    if table is None:
        raise InputError("line 1: the columns are not there any more")
    reader = csv.reader(_Lines(stream), delimiter=table.delimiter, strict=True)
    line, has_header = 1, False
    try:
        for cells in reader:
            if cells and has_header:
                yield line, _row(table, cells, line)
            line, has_header = reader.line_num + 1, has_header or bool(cells)
    except csv.Error as error:
        raise InputError(f"line {line}: {_reason(error)}") from None


def _row(table: Table, cells: list[str], line: int) -> Row:
    if len(cells) != len(table.columns):
        raise InputError(f"line {line}: has {len(cells)} fields where the header has {len(table.columns)}")
    return dict(zip(table.columns, map(str.strip, cells), strict=True))


def _reason(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a field is longer than {csv.field_size_limit():,} characters"
    if "unexpected end" in str(error):
        return "a quote that opens here is never closed"
    return f"not valid CSV ({str(error)[:80]})"


class _Lines:
    """The text's lines, each measured and decoded; `number` is that of the line given last."""

    def __init__(self, stream: BinaryIO) -> None:
        rewind(stream)
        self._stream = stream
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(MAX_LINE_BYTES + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise InputError(f"line {self.number}: is longer than 1 MiB")
        if b"\0" in raw:
            raise InputError(f"line {self.number}: holds NUL bytes, so it is no text")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"line {self.number}: is not UTF-8 at its byte {error.start}") from None
