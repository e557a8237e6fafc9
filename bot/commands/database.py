"""`countersign db …` and `countersign config …`."""

from typing import Annotated

import typer

from bot.commands.console import one_line_errors, print_json

db = typer.Typer(help="Look after the database.", no_args_is_help=True)
config = typer.Typer(help="Look after the configuration.", no_args_is_help=True)


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the database of DATABASE_URL to the revision this program needs, creating it where there is none."""
    from bot.settings import Settings
    from storage import open_engine, upgrade

    with one_line_errors():
        engine = open_engine(Settings.from_environment().database_url)
        restored = upgrade(engine)
        engine.dispose()
    for name in restored:
        typer.echo(
            f"The trail's protection {name} was missing and is back. Now: countersign trail verify", err=True
        )
    typer.echo("The database is up to date.")


@db.callback()
def _db() -> None:
    """Keep `upgrade` a word of its own, though it is the only one."""


@config.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    from bot.config import Config

    print_json(Config.model_json_schema())


@config.command("check")
def check_config(
    path: Annotated[str, typer.Argument(help="The file; without it, the one COUNTERSIGN_CONFIG names.")] = "",
) -> None:
    """Say whether a configuration file is good, and if not, where."""
    from pathlib import Path

    from bot.config import read_config
    from bot.playbooks import load_playbooks
    from bot.settings import Settings

    with one_line_errors():
        named = Path(path) if path else Settings.from_environment().countersign_config
        checked = read_config(named)
        playbooks = load_playbooks(checked, beside=named.parent if named else Path())
    needed = checked.policy.required_approvals
    typer.echo(f"Good. Approvals needed: {needed}. Playbooks: {len(playbooks)}.")
