"""What Slack answers when it refuses, and what a person can do about it.

`is_passing` is the one place that knows the difference between a weakness that passes, and for which everything waits, and something
that a person has to mend, who has to hear of it then.
"""

import socket
import ssl
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

SLACK_FAILURES = (SlackClientError, HTTPException, OSError)
_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)

# Where we may not speak, or may no longer edit what we said: a drawing waits there for somebody to let us in.
HOPELESS = frozenset(
    {
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "restricted_action",
        "edit_window_closed",
        "cant_update_message",
        "missing_scope",
    }
)
_TOO_MANY, _SERVER_ERRORS = 429, range(500, 600)
_PASSING = frozenset(
    {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
# Slack no longer takes our token for anything: nobody can be told in Slack, so `/readyz` and the log say it.
REVOKED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "org_login_required"}
)
BAD_BLOCKS = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "SlackObjectFormationError",  # the SDK saw it first
    }
)
GONE = "message_not_found"
TOO_LATE = "expired_trigger_id"
_TOO_LATE = "Slack did not open the window in time, so nothing was decided. Click once more."
_ADVICE = {
    "not_in_channel": "I am not in this channel. Invite me with `/invite @Countersign`, then try again.",
    "channel_not_found": "I cannot see this channel. Invite me with `/invite @Countersign`, then try again.",
    "is_archived": "This channel is archived. Try again in a living one.",
    "restricted_action": "Only some people may post in this channel, and I am not among them.",
    "missing_scope": "My app lacks a permission in Slack: whoever runs me has to reinstall it from `manifest.yml`.",
    TOO_LATE: _TOO_LATE,
    "trigger_expired": _TOO_LATE,
    "ratelimited": "Slack is limiting my requests. Try again in a minute.",
}


def code_of(error: Exception) -> str:
    """Return Slack's word for a refusal, or the kind of the failure where Slack did not answer."""
    if isinstance(error, SlackApiError):
        found = error.response.get("error")
        return str(found) if found else "unreadable_answer"
    return type(error).__name__


def may_have_arrived(error: Exception) -> bool:
    """Tell whether Slack may have done what it gave no answer about: then doing it another way may do it twice."""
    if isinstance(error, SlackClientError):  # it answered, or the SDK sent nothing
        return False
    return not isinstance(_reason(error), _NEVER_SENT)


def is_passing(error: Exception) -> bool:
    """Tell whether a failure is a passing weakness, Slack's or the network's, or else something that a person has to mend.

    No answer passes, and so does one of a server that fell over or wants us to wait. With a revoked token nobody can be told in
    Slack, so that waits as well, for the token that `/readyz` asks for.
    """
    if isinstance(error, SlackApiError):
        status = getattr(error.response, "status_code", 0)
        code = code_of(error)
        return status == _TOO_MANY or status in _SERVER_ERRORS or code in _PASSING or code in REVOKED
    if isinstance(error, SlackClientError):  # the SDK found that what we send cannot be sent
        return False
    return not isinstance(_reason(error), ssl.SSLCertVerificationError)


def _reason(error: Exception) -> object:
    return error.reason if isinstance(error, URLError) else error


def was_not_taken(error: Exception) -> bool:
    """Tell whether Slack certainly did not take a message, for a reason that passes: it may be sent again."""
    return is_passing(error) and not may_have_arrived(error)


def advise(code: str) -> str:
    """Return a sentence for the person who asked."""
    return _ADVICE.get(code, f"Slack did not take it ({code}). Try again in a minute.")
