"""What all commands share: where they write, how they end, how they open the database."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import typer

from audit.actor import Actor
from audit.errors import ActionError, CountersignError

if TYPE_CHECKING:
    from storage import Stores

FAILED = 1
PIPED_WIDTH = 200
SHELL = Actor(origin="cli")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what went wrong into one line on standard error and exit code 1; a bug keeps its traceback."""
    try:
        yield
    except CountersignError as error:
        text = error.explain() if isinstance(error, ActionError) else str(error)
        typer.echo(f"countersign: {text}", err=True)
        raise typer.Exit(FAILED) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(FAILED) from None


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
