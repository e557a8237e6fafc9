"""A file and the reports in it: one, or those of an archive."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Protocol

from audit.ingest.detect import read_report
from audit.ingest.mapped_csv import ColumnMap
from audit.ingest.reading import Reading
from audit.ingest.unpack import open_members
from audit.ingest.watched import Say, say_nothing, watched


@dataclass(frozen=True, slots=True)
class Member:
    """A report in a file. `open` begins to read it, once, and raises what `read_report` raises."""

    label: str
    open: Callable[[], Reading]


class OpenFile(Protocol):
    """Opens a file for as long as the block lasts; each member is used up, or left alone, before the next one comes.

    Args:
        stream: seekable, open for reading bytes; nobody else reads of it meanwhile.
        name: what to call the file.
        columns: which column is which field, for a CSV of one's own.
        say: told how many bytes were read, again and again. What it raises ends the reading.

    Raises:
        InputError: an archive that cannot be read. The readings raise it too.
        CountersignError: it could not be read to its end for a reason that is not the file's.
        OSError: the disk does not give it.
    """

    def __call__(
        self, stream: BinaryIO, name: str, *, columns: ColumnMap | None = None, say: Say = say_nothing
    ) -> AbstractContextManager[Iterator[Member]]: ...


@contextmanager
def open_here(
    stream: BinaryIO, name: str, *, columns: ColumnMap | None = None, say: Say = say_nothing
) -> Iterator[Iterator[Member]]:
    """Open a file in this very process; see `OpenFile`. For what is trusted, and for programs without a bot."""
    yield (
        Member(label, partial(read_report, member, label, columns=columns))
        for member, label in open_members(watched(stream, say), name)
    )
