"""`countersign trail …`: check the trail, hand it on."""

import base64
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.anchors import Anchor, read_anchors
from audit.errors import InputError, StateError
from bot.commands.console import FAILED, one_line_errors, open_stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import Settings
    from remediation.batches import Members
    from remediation.evidence import Proof
    from remediation.execution import PlaybookExecution
    from storage import Stores

# Evidence of what moves on while it is written is written anew.
_MOST_LOOKS = 5
app = typer.Typer(help="Check the trail of who did what, and hand it on.", no_args_is_help=True)


@app.command("verify")
def verify(
    anchors: Annotated[
        Path | None,
        typer.Option(
            help="A file with heads that were noted, in place of the configured one (trail.anchor_file)."
        ),
    ] = None,
    anchor: Annotated[
        list[str] | None, typer.Option(help="A head that was noted, such as 12:ab… from the channel.")
    ] = None,
) -> None:
    """Walk the whole chain; say where it does not hold, and exit 1 if it does not.

    A tail that was cut shows only against a head that was noted elsewhere: the configured file is read, and one that is not there
    fails the check. Give another with --anchors, or one head with --anchor.
    """
    from audit.anchors import breaks_with_anchors
    from bot.settings import Settings
    from storage import Stores

    with one_line_errors():
        settings = Settings.from_environment()
        noted = [entry for text in anchor or [] for entry in read_anchors(text)]
        if file := anchors or _configured(settings):
            noted += _read_file(file, is_configured=anchors is None)
        stores, unprotected = Stores.open_to_verify(settings.database_url)
        found = list(breaks_with_anchors(stores.trail.stream(), noted))
        head = stores.trail.head()
        stores.close()
    for name in unprotected:
        typer.echo(
            f"The trail is not protected: {name} is missing. Find out why, then: countersign db upgrade",
            err=True,
        )
    for broken in found:
        typer.echo(f"entry {broken.seq}: {broken.reason}", err=True)
    if found or unprotected:
        raise typer.Exit(FAILED)
    where = f"{head.seq} entries, head {Anchor.of(head)}" if head else "no entries yet"
    against = (
        f", as {len(noted)} noted heads say" if noted else "; no head was noted that it could be held to"
    )
    typer.echo(f"The trail holds: {where}{against}")


def _configured(settings: "Settings") -> Path | None:
    """Return the file that heads are noted in; None where the configuration names none, or there is no configuration."""
    from bot.config import read_config

    if settings.countersign_config is None:
        return None
    file = read_config(settings.countersign_config).trail.anchor_file
    return settings.config_folder / file if file else None


def _read_file(file: Path, *, is_configured: bool) -> list[Anchor]:
    """Return the heads that a file holds.

    Raises:
        InputError: it cannot be read, or holds none: then nothing is said about the trail.
    """
    from bot.config_errors import reason

    name = f"trail.anchor_file {file}" if is_configured else str(file)
    hint = ""
    if is_configured:
        hint = ". Was it moved, or has nothing been noted yet? `countersign trail anchor` prints a line for it; --anchors names another file"
    try:
        return read_anchors(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name} cannot be read ({reason(error)}){hint}") from None
    except InputError as error:
        raise InputError(f"{name}: {error}{hint}") from None


@app.command("anchor")
def print_anchor() -> None:
    """Print the trail's head as a line to keep outside the database: a later cut before it will show."""
    with one_line_errors(), open_stores() as stores:
        head = stores.trail.head()
        if head is None:
            raise InputError("the trail has no entries yet")
        typer.echo(Anchor.of(head).to_line(datetime.now(UTC)))


@app.command("export")
def export() -> None:
    """Write the trail as JSON Lines, with each entry's hash and its canonical bytes in base 64."""
    import orjson

    with one_line_errors(), open_stores() as stores:
        for entry in stores.trail.stream():
            line = {
                "seq": entry.seq,
                "hash": entry.entry_hash.hex(),
                "previous_hash": entry.previous_hash.hex(),
                "event": orjson.loads(entry.body),
                "body_base64": base64.b64encode(entry.body).decode(),
            }
            sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()


@app.command("evidence")
def evidence(
    execution: Annotated[
        str, typer.Argument(metavar="EXECUTION", help="The id of an execution, x-…, or of a batch, b-….")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where the zip goes; EXECUTION.zip if left out.")
    ] = None,
) -> None:
    """Write one zip that proves an execution: finding, plan, approvals, before, after, verification, chain, a page to read.

    With the id of a batch, that of all its executions, a folder each, and of what was signed as a set.
    """
    from remediation.lookup import find_named

    with one_line_errors(), open_stores() as stores:
        find = partial(find_named, execution, finder=stores.finder, batches=stores.batches)
        path, proof = _write_settled(stores, find, output)
    typer.echo(f"{path}: {proof.entries} entries of the trail, up to the head {proof.head}")


def _write_settled(
    stores: "Stores", find: "Callable[[], PlaybookExecution | Members]", output: Path | None
) -> "tuple[Path, Proof]":
    """Write it, anew where what it is about moved on meanwhile.

    Raises:
        StateError: it moves on each time; what stood at the path before stands there still.
    """
    for looks_left in reversed(range(_MOST_LOOKS)):
        try:
            return _write_evidence(stores, find, output)
        except StateError:
            if not looks_left:
                raise
    raise AssertionError("it is looked at once at least")


def _write_evidence(
    stores: "Stores", find: "Callable[[], PlaybookExecution | Members]", output: Path | None
) -> "tuple[Path, Proof]":
    """Write it as it is now.

    Raises:
        StateError: it is no longer as it was when that began. The trail says more then than the files beside it: no such file is left.
    """
    from exporters.writing import replacing
    from remediation.batches import Members
    from remediation.evidence import write_batch_evidence, write_evidence

    found, now = find(), datetime.now(UTC)
    name = found.batch.batch_id if isinstance(found, Members) else found.execution_id
    path = output or Path(f"{name}.zip")
    with replacing(path) as file:
        if isinstance(found, Members):
            proof = write_batch_evidence(found, stores.trail.stream(), file, now=now)
        else:
            proof = write_evidence(found, stores.trail.stream(), file, now=now)
        if find() != found:
            raise StateError("It changes all the time: ask for its evidence when it is over.")
    return path, proof
