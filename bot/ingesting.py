"""Taking in files from the shell: several, packed ones, standard input; each on its own, with a bar that moves."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

import typer

from audit.actor import Actor
from audit.errors import CountersignError, InputError
from audit.ingest import ColumnMap, Member, parse_columns
from audit.ingest.naming import printable
from audit.ports import Ingested, ReportStore
from bot.config import read_config
from bot.progress import file_bar
from bot.reading_apart import open_apart
from bot.settings import Settings

MAX_STDIN_BYTES: Final = 4 * 2**30
STDIN: Final = Path("-")
_IN_MEMORY_BYTES: Final = 8 * 2**20
_BLOCK_BYTES: Final = 2**18


def read_columns(pairs: Sequence[str]) -> ColumnMap:
    """Return the column mapping: that of the command, else the configuration's, else none.

    Raises:
        InputError: a pair cannot be used.
        ConfigError: the configuration cannot be used.
    """
    if pairs:
        return parse_columns(pairs)
    path = Settings.from_environment().countersign_config
    return read_config(path).ingest.csv_columns if path else {}


def ingest_files(reports: ReportStore, files: Sequence[Path], *, actor: Actor, columns: ColumnMap) -> int:
    """Take in each file and say what came of it; return how many failed, so that the others still get their turn."""
    intake = _Intake(reports, actor, columns)
    return sum(intake.take(path) for path in files)


@dataclass(frozen=True, slots=True)
class _Intake:
    """What it takes to take in a file."""

    reports: ReportStore
    actor: Actor
    columns: ColumnMap

    def take(self, path: Path) -> int:
        """Take in one file, or each file of an archive; return how many failed."""
        failed, answers = 0, list[tuple[str, bool]]()
        try:
            with (
                _opened(path) as (stream, name, size),
                file_bar(name, size) as say,
                open_apart(stream, name, columns=self.columns, say=say) as members,
            ):
                for member in members:
                    failed += self._read(member, answers)
        except OSError as error:
            failed += 1
            answers.append((f"countersign: {path}: {error.strerror}", True))
        except CountersignError as error:
            failed += 1
            answers.append((f"countersign: {error}", True))
        for line, is_trouble in answers:
            typer.echo(line, err=is_trouble)
        return failed

    def _read(self, member: Member, answers: list[tuple[str, bool]]) -> int:
        try:
            done = self.reports.ingest(member.open(), actor=self.actor, now=datetime.now(UTC))
        except CountersignError as error:
            answers.append((f"countersign: {error}", True))
            return 1
        answers += _say(done, member.label)
        return 0


def _say(done: Ingested, label: str) -> Iterator[tuple[str, bool]]:
    """Yield what came of a report, a line each, and whether it is trouble."""
    header = done.header
    news = "" if done.is_new else " (the very same file was here before; nothing changed)"
    yield (
        f"{header.report_id}: {header.summary['total_findings']} findings from {printable(label)}{news}",
        False,
    )
    yield from ((f"  left out: {reason}", True) for reason in header.rejected)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, str, int]]:
    """Open a file: the stream, what to call it, its size. Standard input is kept in a temporary file, to be read twice."""
    if path == STDIN:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as kept:
            size = _copy(sys.stdin.buffer, kept)
            yield cast("BinaryIO", kept), "standard input", size
        return
    with path.open("rb") as stream:
        yield stream, path.name, path.stat().st_size


def _copy(source: BinaryIO, kept: IO[bytes], *, most: int = MAX_STDIN_BYTES) -> int:
    size = 0
    while block := source.read(_BLOCK_BYTES):
        size += len(block)
        if size > most:
            raise InputError(f"standard input: is larger than {most:,} bytes; save it to a file")
        kept.write(block)
    return size
