"""What all commands share: where they write, how they end, how they open the database."""

import errno
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import typer
from typer.exceptions import TyperException

from audit.actor import Actor
from audit.errors import ActionError, CountersignError

if TYPE_CHECKING:
    from storage import Stores

FAILED = 1
PIPED_WIDTH = 200
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
SHELL = Actor(origin="cli")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what went wrong into one line on standard error and exit code 1.

    A bug's line is a reference id; the same id and the traceback stand in the log, which goes to standard error before it.
    """
    try:
        yield
    except CountersignError as error:
        text = error.explain() if isinstance(error, ActionError) else str(error)
        typer.echo(f"countersign: {text}", err=True)
        raise typer.Exit(FAILED) from None
    except (typer.Exit, typer.Abort, TyperException):  # how commands and their options end by themselves
        raise
    except BrokenPipeError:  # whoever closed the pipe has seen enough
        _drop_output()
        raise typer.Exit(FAILED) from None
    except Exception as error:  # noqa: BLE001 - the command line's boundary
        _drop_output()
        _tell(error)
        raise typer.Exit(FAILED) from None


def run(app: Callable[[], object]) -> None:
    """Run the whole command line under `one_line_errors`, as a program."""
    try:
        with one_line_errors():
            app()
    except typer.Exit as ending:
        sys.exit(ending.exit_code)


def _drop_output() -> None:
    """Send what standard output does not take nowhere: the interpreter tries once more at its end, and complains."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: Exception) -> None:
    """Tell what nobody expected: a disk or device that takes no more by name, a bug by a reference id that stands in the log."""
    if isinstance(error, OSError) and error.errno in _FULL:
        typer.echo(f"countersign: cannot write any more: {error.strerror}", err=True)
        return
    import structlog

    from bot.logs import configure_logs

    reference = uuid.uuid4().hex[:8]
    configure_logs()
    structlog.get_logger().error("unexpected error", reference=reference, exc_info=error)
    typer.echo(f"countersign: something went wrong on our side. Reference {reference}", err=True)


@contextmanager
def open_stores() -> Iterator["Stores"]:
    """Open the database of DATABASE_URL, for a command's duration.

    Raises:
        ConfigError: it cannot be opened, or needs `countersign db upgrade`.
    """
    from bot.settings import Settings
    from storage import Stores

    stores = Stores.open(Settings.from_environment().database_url)
    try:
        yield stores
    finally:
        stores.close()


def print_json(value: object) -> None:
    """Write a value as indented JSON."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Write rows for people; `empty` where there are none. Foreign text is never read as markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for position, column in enumerate(columns):
        # The first column is what people copy: it is never cut.
        table.add_column(column, no_wrap=position == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(width=width).print(table if table.row_count else Text(empty))


def on_one_line(value: object) -> str:
    """Return a value on one line, without what could move a terminal's cursor."""
    from remediation.actions.contract import show_value

    return "".join(letter for letter in " ".join(show_value(value).split()) if letter.isprintable())
