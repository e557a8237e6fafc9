"""`countersign trail …`: check the trail, hand it on."""

import base64
import sys

import typer

from bot.commands.console import FAILED, one_line_errors, open_stores

app = typer.Typer(help="Check the trail of who did what, and hand it on.", no_args_is_help=True)


@app.command("verify")
def verify() -> None:
    """Walk the whole chain; say where it does not hold, and exit 1 if it does not."""
    from audit.trail import breaks
    from bot.settings import Settings
    from storage import Stores

    with one_line_errors():
        stores, unprotected = Stores.open_to_verify(Settings.from_environment().database_url)
        found = list(breaks(stores.trail.stream()))
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
    where = f"{head.seq} entries, head {head.entry_hash.hex()}" if head else "no entries yet"
    typer.echo(f"The trail holds: {where}")


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
