"""Where in Slack we may speak."""

from slack_sdk import WebClient

from audit.errors import InputError
from handlers.requests import said
from handlers.slack_errors import SLACK_FAILURES, advise, code_of
from remediation.ports import Request

_BETWEEN_PEOPLE = "directmessage"


def find_conversation(client: WebClient, request: Request) -> str:
    """Return the channel to post in: where it was asked for, or our own conversation with the person.

    A direct message a command was typed in may be one with somebody else, where we are no member.

    Raises:
        InputError: Slack does not open the conversation.
    """
    if not is_direct(request):
        return said(request, "channel_id")
    try:
        opened = client.conversations_open(users=request.actor.slack_id)
    except SLACK_FAILURES as error:
        raise InputError(advise(code_of(error))) from error
    return str(opened["channel"]["id"])


def is_direct(request: Request) -> bool:
    """Tell whether a command was typed in a direct message."""
    return said(request, "channel_name") == _BETWEEN_PEOPLE
