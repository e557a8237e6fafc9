"""The findings part of the HTML report, made in one pass over a stream of any length.

What the page says first (contents, counts) is known only at its end. So the parts are written into spools, each check's
rows before its head, and the page is put together afterwards. Memory stays the same from ten findings to a million.
"""

import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Self

from markupsafe import Markup

from audit.findings import FindingDict, Severity
from exporters.html_rows import FAILING, FOR_REVIEW, Group, Row, row_of
from exporters.outcome import ByteSink
from exporters.text import to_utf8

MOST_CONTENTS = 300
OPEN_ROWS_PER_CHECK = 200
OPEN_ROWS = 2_000
_HELD_CHARACTERS = 500_000
_PRESSING = {Severity.CRITICAL, Severity.HIGH}
_CHUNK = 1 << 16
_SPOOL_BYTES = 1 << 20
_TABLE = (
    b"<table><thead><tr>"
    b'<th scope="col">Resource</th><th scope="col">Where</th><th scope="col">What was found</th>'
    b'<th scope="col">Status</th><th scope="col">Finding</th></tr></thead><tbody>\n'
)
_TABLE_END = b"</tbody></table>\n"


@dataclass(frozen=True, slots=True)
class Contents:
    """A line of the table of contents: where it leads, what it says (HTML), how many resources fail."""

    anchor: str
    title: Markup
    severity: Severity
    failing: int


class _Rows:
    """Rows waiting for their table: half a megabyte in memory, more in a spool that is used again for the next check."""

    __slots__ = ("_held", "_pending", "_spilled", "_spool")

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._pending: list[str] = []
        self._held = 0
        self._spilled = 0

    @property
    def count(self) -> int:
        """Return how many rows are waiting."""
        return self._spilled + len(self._pending)

    def add(self, html: str) -> None:
        self._pending.append(html)
        self._held += len(html)
        if self._held > _HELD_CHARACTERS:
            self._flush(self._spool)

    def move_to(self, part: IO[bytes]) -> None:
        """Write the rows as one table and be empty again."""
        part.write(_TABLE)
        if self._spilled:
            self._spool.seek(0)
            shutil.copyfileobj(self._spool, part, _CHUNK)
            self._spool.seek(0)
            self._spool.truncate()
        self._flush(part)
        part.write(_TABLE_END)
        self._spilled = 0

    def _flush(self, out: IO[bytes]) -> None:
        self._spilled += len(self._pending)
        out.write(to_utf8("\n".join([*self._pending, ""])))
        self._pending.clear()
        self._held = 0


class Body:
    """Takes findings in the store's order and sorts their checks into three parts.

    `failing` holds the checks that some resource fails, `review` those a person has to look at, `settled` the rest: passed or
    muted. Use it as a context manager; the parts are gone afterwards.
    """

    def __init__(self) -> None:
        self.contents: list[Contents] = []
        self.checks: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self._files = ExitStack()
        self._parts = {name: self._spool() for name in ("failing", "review", "settled")}
        self._failing, self._others = _Rows(self._spool()), _Rows(self._spool())
        self._other_statuses: Counter[str] = Counter()
        self._group: Group | None = None
        self._open_rows = 0
        self._severities: set[Severity] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def _spool(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.SpooledTemporaryFile(_SPOOL_BYTES))

    def copy_part(self, name: str, out: ByteSink) -> None:
        """Write a part, as HTML in UTF-8."""
        spool = self._parts[name]
        spool.seek(0)
        while chunk := spool.read(_CHUNK):
            out.write(chunk)

    def shape(self, record: FindingDict) -> Row:
        """Turn a finding into a row and change nothing: this is what may fail for a malformed one."""
        return row_of(record, self._group)

    def place(self, row: Row) -> None:
        """Put a shaped finding below its check."""
        group, status, html = row
        if group is not self._group:
            self.close_group()
            self._group = group
        if status == FAILING:
            self._failing.add(html)
        else:
            self._other_statuses[status] += 1
            self._others.add(html)

    def close_group(self) -> None:
        """Write the check that was being filled, if any; called once more after the last finding."""
        group, failing = self._group, self._failing.count
        if group is None:
            return
        self.statuses.update(self._other_statuses)
        self.statuses[FAILING] += failing
        name = self._part_name()
        self.checks[name] += 1
        anchor = f"check-{self.checks.total()}"
        if failing:
            self._announce(group, anchor)
        is_brief = name == "failing" and self._has_room()
        self._write_group(self._parts[name], group, anchor, is_brief=is_brief)
        self._other_statuses.clear()
        self._group = None

    def _part_name(self) -> str:
        if self._failing.count:
            return "failing"
        return "review" if self._other_statuses[FOR_REVIEW] else "settled"

    def _announce(self, group: Group, anchor: str) -> None:
        """List the check in the contents, and begin its severity's section if it is the first there."""
        if len(self.contents) < MOST_CONTENTS:
            title = Markup(group.title)  # noqa: S704 - escaped in html_rows
            self.contents.append(Contents(anchor, title, group.severity, self._failing.count))
        if group.severity not in self._severities:
            self._severities.add(group.severity)
            word = group.severity.value.lower()
            self._parts["failing"].write(
                f'<h3 class="band {word}" id="{word}">{word.capitalize()}</h3>\n'.encode()
            )

    def _has_room(self) -> bool:
        """Tell whether the check may be laid out at once: a browser does some thousand rows at ease, not fifty thousand."""
        rows = self._failing.count
        if rows > OPEN_ROWS_PER_CHECK or self._open_rows + rows > OPEN_ROWS:
            return False
        self._open_rows += rows
        return True

    def _write_group(self, part: IO[bytes], group: Group, anchor: str, *, is_brief: bool) -> None:
        word, failing = group.severity.value.lower(), self._failing.count
        marks = " data-brief" if is_brief else ""  # the style sheet shows these on paper
        marks += " open" if is_brief and group.severity in _PRESSING else ""
        count = _resources(failing, "fails", "fail") if failing else _spelled(self._other_statuses)
        opening = (
            f'<details class="check" id="{anchor}" data-severity="{word}" data-failing="{failing}"'
            f"{marks}><summary>"
            f'<span class="severity {word}">{word.capitalize()}</span>'
            f'<h4>{group.title}</h4><span class="count">{count}</span></summary>{group.body}\n'
        )
        part.write(opening.encode())
        if failing:
            self._failing.move_to(part)
        if self._others.count:
            self._write_others(part, nested=bool(failing))
        part.write(b"</details>\n")

    def _write_others(self, part: IO[bytes], *, nested: bool) -> None:
        if nested:
            summary = _spelled(self._other_statuses)
            part.write(f'<details class="others"><summary>{summary}</summary>\n'.encode())
        self._others.move_to(part)
        if nested:
            part.write(b"</details>\n")


def _resources(count: int, singular: str, plural: str) -> str:
    return f"1 resource {singular}" if count == 1 else f"{count:,} resources {plural}"


def _spelled(statuses: Counter[str]) -> str:
    return ", ".join(f"{count:,} {status.lower()}" for status, count in sorted(statuses.items()))
