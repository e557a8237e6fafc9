"""Messages by way of Apprise: to services over the network, and to nothing on this machine.

An Apprise URL holds its secret. It is read at the moment of sending and stands in no error and no log.
"""

import logging
from functools import cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from audit.errors import Cause, PermanentActionError, TemporaryActionError

if TYPE_CHECKING:
    from apprise import Apprise

TITLE = "Countersign"
# Each of them sends over the network to a service that people read. Apprise also knows schemas that write files, talk to
# this machine's desktop or log, or run code (`file`, `dbus`, `syslog`, custom plugins): none of them is ever to get in here.
SCHEMAS = frozenset(
    [
        "discord",
        "gchat",
        "github",
        "gotifys",
        "ilert",
        "jira",
        "json",
        "jsons",
        "lark",
        "mailgun",
        "mailto",
        "mailtos",
        "matrixs",
        "mmosts",
        "ntfy",
        "ntfys",
        "opsgenie",
        "pagerduty",
        "pagertree",
        "pover",
        "resend",
        "rockets",
        "sendgrid",
        "ses",
        "signl4",
        "slack",
        "sns",
        "splunk",
        "squadcast",
        "tgram",
        "twilio",
        "victorops",
        "webex",
        "workflow",
        "workflows",
        "wxteams",
        "zulip",
    ]
)


def schema_of(url: str) -> str:
    """Return the schema of an Apprise URL in small letters; empty where it has none."""
    schema, separator, rest = url.strip().partition("://")
    return schema.casefold() if separator and rest else ""


def send(url: SecretStr, message: str, *, name: str) -> None:
    """Send a message to one target.

    Raises:
        PermanentActionError: Apprise is not installed, or the URL cannot be used.
        TemporaryActionError: the target did not take it. Parts of it may have arrived all the same.
    """
    try:
        import apprise
    except ImportError:
        raise PermanentActionError(
            "Apprise is not installed: pip install 'countersign[notify]'", cause=Cause.NOT_INSTALLED
        ) from None
    _quiet()
    if not _load(url, name=name).notify(
        title=TITLE, body=message, body_format=apprise.NotifyFormat.TEXT, interpret_escapes=False
    ):
        raise TemporaryActionError(f"The target “{name}” did not take the message", cause=Cause.NOT_SENT)


def _load(url: SecretStr, *, name: str) -> "Apprise":
    import apprise

    text = url.get_secret_value().strip()
    # An asset of our own: no plugins from anybody's home folder, no emoji codes or escapes filled in.
    asset = apprise.AppriseAsset(plugin_paths=[], interpret_emojis=False, secure_logging=True)
    made = apprise.Apprise(asset=asset)
    if schema_of(text) not in SCHEMAS or any(mark in text for mark in "\r\n") or not made.add(text):
        raise PermanentActionError(
            f"The URL of the target “{name}” cannot be used", cause=Cause.NOT_CONFIGURED
        )
    if len(made) != 1:
        raise PermanentActionError(f"The target “{name}” has more than one URL", cause=Cause.NOT_CONFIGURED)
    # A URL can ask for more tries (`?retry=3`). What was not answered may have arrived, so there are none.
    made[0].retry = 0
    return made


@cache
def _quiet() -> None:
    """Silence whoever writes parts of a URL into logs: Apprise of a failure, urllib3 at DEBUG of every request."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
