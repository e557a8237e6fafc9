"""The first words with Slack, and what to say when they go wrong."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.web import SlackResponse

from audit.errors import ConfigError
from bot.socket_mode import has_ended

_CODE = re.compile(r"[a-z][a-z0-9_]*")  # how Slack words a refusal: `invalid_auth`
SILENT_PINGS = 3  # without an answer: the client itself reconnects at four
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Connection:
    """What Slack says about our token: the workspace, who we are there, what we may do; and what time it is, if it says so."""

    team: str
    team_id: str
    bot_user_id: str
    bot_name: str
    scopes: frozenset[str] = frozenset()
    slack_time: datetime | None = None


def ask_who_we_are(client: WebClient) -> Connection:
    """Ask Slack whose token we have.

    Raises:
        ConfigError: it is not good, Slack does not answer, or somebody else does.
    """
    with _explaining("SLACK_BOT_TOKEN", url=client.base_url):
        said = client.auth_test()
        return Connection(
            team=_text(said, "team"),
            team_id=_text(said, "team_id"),
            bot_user_id=_text(said, "user_id"),
            bot_name=_text(said, "user"),
            scopes=frozenset(_header(said, "x-oauth-scopes").replace(" ", "").split(",")) - {""},
            slack_time=_time(_header(said, "date")),
        )


def open_socket(connect: Callable[[], object], *, url: str) -> None:
    """Connect by Socket Mode, through the API at `url`.

    Raises:
        ConfigError: the app-level token is not good, Slack does not answer, or somebody else does.
    """
    with _explaining("SLACK_APP_TOKEN", url=url):
        connect()


def find_silence(socket: SocketModeClient, *, now: float) -> str:
    """Return what is wrong with a Socket Mode connection, nothing where Slack was heard of lately.

    A connection whose other end is gone counts as connected for as long as nobody writes to it, so what counts is the last
    answer to a ping (`now` in seconds since 1970, as the client notes it).
    """
    session = socket.current_session
    if session is None or not socket.is_connected():
        return "Socket Mode is not connected"
    if has_ended(session):
        return "Socket Mode has lost its connection"
    heard = session.last_ping_pong_time
    if heard is not None and now - heard > SILENT_PINGS * socket.ping_interval:
        return f"Socket Mode has not heard of Slack for {now - heard:.0f} s"
    return ""


@contextmanager
def _explaining(variable: str, *, url: str) -> Iterator[None]:
    """Blame the token only for what Slack itself says about it."""
    try:
        yield
    except SlackApiError as error:
        raise ConfigError(_refusal(error, variable=variable, url=url)) from None
    except OSError as error:
        raise ConfigError(f"SLACK_API_URL {url} does not answer: {error}") from None
    except (HTTPException, AttributeError, LookupError, ValueError):  # the client expects an object in JSON
        raise ConfigError(_not_slack(url)) from None


def _refusal(error: SlackApiError, *, variable: str, url: str) -> str:
    code, status = error.response.get("error"), error.response.status_code
    if isinstance(code, str) and _CODE.fullmatch(code):
        return f"{variable} was refused by Slack: {code}"
    if status >= _SERVER_ERROR:
        return f"SLACK_API_URL {url} does not answer: HTTP status {status}"
    return _not_slack(url)


def _not_slack(url: str) -> str:
    return f"SLACK_API_URL {url} answers, but not as Slack does: leave it unset for https://slack.com/api/"


def _header(said: SlackResponse, name: str) -> str:
    found = next((value for key, value in said.headers.items() if key.lower() == name), "")
    return str(found[0] if isinstance(found, list) and found else found)


def _time(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        return None


def _text(said: SlackResponse, name: str) -> str:
    if not (value := said.get(name)):
        raise LookupError(name)
    return str(value)
