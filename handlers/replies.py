"""Answers that one person alone sees."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from handlers.blocks.parts import Message, plain_message
from handlers.requests import said
from handlers.slack_errors import BAD_BLOCKS, SLACK_FAILURES, code_of
from remediation.ports import Request

log = structlog.get_logger()
_TIMEOUT_S = 10
_SLACK_DOMAINS = (".slack.com", ".slack-gov.com")
_OK = 200


def reply(client: WebClient, request: Request, message: Message, *, url: str = "") -> None:
    """Tell the person who asked, and nobody else.

    By the request's `response_url`; where there is none, or it is used up, in the channel so that only they see it; where we
    are no member or that is none (a click in their home), in our own conversation with them. What Slack does not take is logged:
    the answer is lost, the state is not.
    """
    if url and _post_somehow(url, message, client=client):
        return
    channel, person = said(request, "channel_id"), request.actor.slack_id
    if person and not (channel and _whisper(client, message, channel=channel, person=person)):
        _write_to(client, message, person=person)


def _whisper(client: WebClient, message: Message, *, channel: str, person: str) -> bool:
    """Post where only one person sees it; tell whether Slack took it."""
    try:
        _plainly_if_refused(
            lambda said: client.chat_postEphemeral(channel=channel, user=person, **said), message
        )
    except SLACK_FAILURES as error:
        log.info("reply not shown in the channel", error=code_of(error))
        return False
    return True


def _write_to(client: WebClient, message: Message, *, person: str) -> None:
    try:
        _plainly_if_refused(lambda said: client.chat_postMessage(channel=person, **said), message)
    except SLACK_FAILURES as error:
        log.warning("reply lost", error=code_of(error))


def _plainly_if_refused(post: Callable[[dict[str, Any]], object], message: Message) -> None:
    """Post a message; where Slack refuses its blocks, its words alone."""
    try:
        post(message.to_dict())
    except SLACK_FAILURES as error:
        if code_of(error) not in BAD_BLOCKS:
            raise
        log.warning("Slack refuses a reply's blocks", error=code_of(error))
        post(plain_message(message).to_dict())


def _post_somehow(url: str, message: Message, *, client: WebClient) -> bool:
    """Post to a `response_url`; where it is not taken with blocks, the words alone, for a refusal does not say why."""
    return post_reply(url, message, client=client) or (
        bool(message.blocks) and post_reply(url, plain_message(message), client=client)
    )


def post_reply(url: str, message: Message, *, client: WebClient) -> bool:
    """Post to a `response_url`, visible to one person; tell whether Slack took it."""
    if not is_slack_url(url, api_url=client.base_url):
        log.warning("reply not sent: foreign response_url", host=urlsplit(url).hostname)
        return False
    try:
        answer = WebhookClient(url, timeout=_TIMEOUT_S, ssl=client.ssl).send_dict(
            {**message.to_dict(), "response_type": "ephemeral", "replace_original": message.replaces}
        )
    except SLACK_FAILURES as error:
        log.warning("reply not sent", error=code_of(error))
        return False
    if answer.status_code != _OK:
        log.warning("reply refused", status=answer.status_code, answer=answer.body[:200])
    return answer.status_code == _OK


def is_slack_url(url: str, *, api_url: str) -> bool:
    """Tell whether a URL out of a payload leads to Slack: over https to Slack's own hosts, or to the API we are told to use."""
    parts, api = urlsplit(url), urlsplit(api_url)
    if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
        return True
    return parts.scheme == "https" and f".{parts.hostname}".endswith(_SLACK_DOMAINS)
