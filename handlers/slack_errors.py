"""What Slack answers when it refuses, and what a person can do about it."""

import socket
import ssl
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

SLACK_FAILURES = (SlackClientError, HTTPException, OSError)
_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)

# Trying again changes nothing: we may not speak there, or may no longer edit what we said.
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
    reason = error.reason if isinstance(error, URLError) else error
    return not isinstance(reason, _NEVER_SENT)


def advise(code: str) -> str:
    """Return a sentence for the person who asked."""
    return _ADVICE.get(code, f"Slack did not take it ({code}). Try again in a minute.")
