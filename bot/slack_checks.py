"""What `countersign doctor` asks Slack: each token, what the app may do, whether our clocks agree."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from slack_sdk import WebClient

from audit.errors import ConfigError, CountersignError
from bot.checks import Check, look
from bot.connecting import Connection, ask_who_we_are, open_socket
from bot.scopes import NEEDED_SCOPES
from bot.settings import Settings

# Slack's signatures are refused beyond five minutes (slack_sdk/signature), so there has to be room for a slow delivery.
MOST_SKEW = timedelta(minutes=1)


def check_slack(settings: Settings, *, now: Callable[[], datetime]) -> Iterator[Check]:
    """Yield the checks; without a good bot token those of its scopes and the clock say nothing."""
    from bot.client import make_client

    client = make_client(settings)
    try:
        settings.require_slack()
        connection = ask_who_we_are(client)
    except CountersignError as error:
        yield Check("slack", is_well=False, found=str(error))
        return
    yield Check("slack", is_well=True, found=f"{connection.bot_name} in {connection.team}")
    yield look("scopes", lambda: _scopes(connection))
    yield look("clock", lambda: _clock(connection, now()))
    yield _way_in(settings, client)


def _scopes(connection: Connection) -> str:
    if missing := sorted(NEEDED_SCOPES - connection.scopes):
        raise ConfigError(
            f"the app lacks {', '.join(missing)}: copy manifest.yml into its settings again and reinstall it to the workspace"
        )
    extra = sorted(connection.scopes - NEEDED_SCOPES)
    return f"all {len(NEEDED_SCOPES)}" + (f"; granted and not needed: {', '.join(extra)}" if extra else "")


def _clock(connection: Connection, now: datetime) -> str:
    if connection.slack_time is None:
        raise ConfigError("Slack did not say what time it is, so nobody can tell whether this clock is right")
    skew = now - connection.slack_time
    if abs(skew) > MOST_SKEW:
        ahead = "ahead of" if skew > timedelta() else "behind"
        seconds = abs(skew.total_seconds())
        raise ConfigError(
            f"this clock is {seconds:.0f} s {ahead} Slack's: set it by NTP, or signatures are refused"
        )
    return f"within {max(1, round(abs(skew.total_seconds())))} s of Slack's"


def _way_in(settings: Settings, client: WebClient) -> Check:
    """Ask for a Socket Mode address, which opens nothing yet; a signing secret can only be tried by Slack itself."""
    token = settings.slack_app_token
    if token is None:
        return Check(
            "way in",
            is_well=True,
            found="HTTP: SLACK_SIGNING_SECRET is set; Slack alone can tell whether it is right",
        )

    def ask() -> str:
        open_socket(
            lambda: client.apps_connections_open(app_token=token.get_secret_value()),
            url=settings.slack_api_url,
        )
        return "Socket Mode: SLACK_APP_TOKEN is good"

    return look("way in", ask)
