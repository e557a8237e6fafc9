"""A bar that moves with the bytes that are read of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from audit.ingest.naming import printable
from audit.ingest.watched import Say

_PASSES: Final = 2
"""A report is read once for its digest and once for its findings; ScoutSuite's and SARIF a few times more, at a full bar."""


@contextmanager
def file_bar(name: str, size: int, progress: Progress | None = None) -> Iterator[Say]:
    """Show a bar while a file of `size` bytes is read, as often as reading a report takes; give what to tell of each block."""
    with progress or make_progress() as shown:
        yield partial(shown.advance, shown.add_task(printable(name), total=size * _PASSES))


def make_progress(console: Console | None = None) -> Progress:
    """Return a bar on standard error, for people only: a log gets none."""
    shown_on = console or Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=shown_on,
        transient=True,
        disable=not shown_on.is_terminal,
    )
