"""What Slack answers when it refuses, and what a person can do about it."""

from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

SLACK_FAILURES = (SlackClientError, HTTPException, OSError)

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


def advise(code: str) -> str:
    """Return a sentence for the person who asked."""
    return _ADVICE.get(code, f"Slack did not take it ({code}). Try again in a minute.")
