"""`countersign serve` and `countersign demo`."""

from typing import Annotated

import typer

from bot.commands.console import one_line_errors


def serve() -> None:
    """Run the bot: Socket Mode where SLACK_APP_TOKEN is set, else signed HTTP on PORT."""
    from bot.serving import serve_forever

    with one_line_errors():
        serve_forever()


def demo(
    port: Annotated[int, typer.Option(help="Where the page is; 0 takes a free port.")] = 0,
) -> None:
    """Show the whole thing on this machine: a small Slack, a small cloud, the real bot. Needs no account."""
    with one_line_errors():
        try:
            from bot.sandbox.demo import run_demo
        except ImportError as error:
            raise _missing_extra(error) from None
        run_demo(port=port)


def _missing_extra(error: ImportError) -> Exception:
    from audit.errors import ConfigError

    return ConfigError(f"the demo needs {error.name}: pip install 'countersign[demo]'")
