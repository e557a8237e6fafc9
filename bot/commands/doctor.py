"""`countersign doctor`."""

from typing import Annotated

import typer

from bot.commands.console import FAILED, one_line_errors, print_json

_SIGNS = {True: "ok     ", False: "FAILED ", None: "not set"}


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """Try every connection the bot will need, and sign in to each cloud; exit 1 if one fails."""
    from bot.doctor import examine
    from bot.settings import Settings

    with one_line_errors():
        checks = []
        for check in examine(Settings.from_environment()):
            checks.append(check)
            if not as_json:
                typer.echo(f"{_SIGNS[check.is_well]}  {check.name:<17}  {check.found}")
    if as_json:
        print_json([{"name": each.name, "is_well": each.is_well, "found": each.found} for each in checks])
    if any(check.is_well is False for check in checks):
        raise typer.Exit(FAILED)
