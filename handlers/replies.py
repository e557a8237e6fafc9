"""Answers that one person alone sees."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient, WebhookResponse

from handlers.beside import hand_over, text_file
from handlers.blocks.parts import Message, plain_message
from handlers.blocks.whole import words_of
from handlers.clients import make_careful
from handlers.pacing import TOO_MANY
from handlers.requests import said
from handlers.slack_client import PATIENCE_S, Line, SlackClient, SlackHook
from handlers.slack_errors import BAD_BLOCKS, SLACK_FAILURES, code_of, may_have_arrived
from handlers.slack_urls import is_slack_url
from remediation.ports import Request

log = structlog.get_logger()
_TIMEOUT_S = 10
_FILE = "answer.txt"
_OK = 200
_BY_URL = "response_url"
"""What Slack's limit on these answers goes by in the queue that all methods share."""


def reply(client: WebClient, request: Request, message: Message, *, url: str = "") -> None:
    """Tell the person who asked, and nobody else.

    By the request's `response_url`; where there is none, or it is used up, in the channel so that only they see it; where we
    are no member or that is none (a click in their home), in our own conversation with them. Where Slack takes the words alone and
    they do not say it all, the whole is a file in that conversation. What Slack does not take at all is logged: the answer is
    lost, the state is not. Where Slack gives no answer it may have arrived, and no other way is tried.
    """
    client = make_careful(client)
    channel, person = said(request, "channel_id"), request.actor.slack_id
    posted = _post_somehow(url, message, client=client, channel=channel) if url else None
    if posted is None and channel and person:
        posted = _whisper(client, message, channel=channel, person=person)
    if posted is None and person:
        posted = _write_to(client, message, person=person)
    if person and posted is not None and posted != message:
        _hand_over_rest(client, person, message, posted)


def _hand_over_rest(client: WebClient, person: str, message: Message, posted: Message) -> None:
    """Give the whole as a file, where what was posted is less."""
    whole = words_of(message)
    if len(whole) > len(posted.text):
        hand_over(
            client,
            person,
            text_file(_FILE, whole),
            comment="The whole answer: Slack did not take it as a message.",
        )


def _whisper(client: WebClient, message: Message, *, channel: str, person: str) -> Message | None:
    """Post where only one person sees it; return what Slack took, None where it took nothing."""
    try:
        return _plainly_if_refused(
            lambda said: client.chat_postEphemeral(channel=channel, user=person, **said), message
        )
    except SLACK_FAILURES as error:
        log.info("reply not shown in the channel", error=code_of(error))
        return message if may_have_arrived(error) else None


def _write_to(client: WebClient, message: Message, *, person: str) -> Message | None:
    try:
        return _plainly_if_refused(lambda said: client.chat_postMessage(channel=person, **said), message)
    except SLACK_FAILURES as error:
        log.warning("reply lost", error=code_of(error))
        return None


def _plainly_if_refused(post: Callable[[dict[str, Any]], object], message: Message) -> Message:
    """Post a message; where Slack refuses its blocks, its words alone. Return what was posted."""
    try:
        post(message.to_dict())
    except SLACK_FAILURES as error:
        if code_of(error) not in BAD_BLOCKS:
            raise
        log.warning("Slack refuses a reply's blocks", error=code_of(error))
        words = plain_message(message)
        post(words.to_dict())
        return words
    return message


def _post_somehow(url: str, message: Message, *, client: WebClient, channel: str) -> Message | None:
    """Post to a `response_url`; where it is not taken with blocks, the words alone, for a refusal does not say why.

    Where Slack limits us for longer than anybody waits, nothing more is posted there.
    """
    try:
        if _post_reply(url, message, client=client, channel=channel):
            return message
        words = plain_message(message)
        is_taken = bool(message.blocks) and _post_reply(url, words, client=client, channel=channel)
    except SlackApiError as error:
        log.warning("reply not sent", error=code_of(error))
        return None
    return words if is_taken else None


def _post_reply(url: str, message: Message, *, client: WebClient, channel: str) -> bool:
    """Post to a `response_url`, visible to one person; tell whether Slack took it, or may have taken it.

    Raises:
        SlackApiError: Slack limits us for longer than we wait.
    """
    if not is_slack_url(url, api_url=client.base_url):
        log.warning("reply not sent: foreign response_url", host=urlsplit(url).hostname)
        return False
    line, patience_s = _shared(client)
    hook = SlackHook(
        url, line=line, timeout=_TIMEOUT_S, ssl=client.ssl, proxy=client.proxy, retry_handlers=[]
    )
    try:
        body = {**message.to_dict(), "response_type": "ephemeral", "replace_original": message.replaces}
        answer = line.pace.call((_BY_URL, channel), lambda: _send(hook, body), patience_s=patience_s)
    except SlackApiError:
        raise
    except SLACK_FAILURES as error:
        is_lost = not may_have_arrived(error)
        log.warning("reply not sent" if is_lost else "reply may not have arrived", error=code_of(error))
        return not is_lost
    if answer.status_code != _OK:
        log.warning("reply refused", status=answer.status_code, answer=answer.body[:200])
    return answer.status_code == _OK


def _send(hook: WebhookClient, body: dict[str, Any]) -> WebhookResponse:
    """Post once.

    Raises:
        SlackApiError: Slack takes no more for now, as the methods of its Web API say it.
    """
    answer = hook.send_dict(body)
    if answer.status_code == TOO_MANY:
        told = SlackResponse(
            client=None,
            http_verb="POST",
            api_url=hook.url,
            req_args={},
            data={"ok": False, "error": "ratelimited"},
            headers=answer.headers,
            status_code=TOO_MANY,
        )
        raise SlackApiError("ratelimited", told)  # type: ignore[no-untyped-call]
    return answer


def _shared(client: WebClient) -> tuple[Line, float]:
    """Return what all of this process's calls share, and how many seconds one waits in their queue."""
    if isinstance(client, SlackClient):
        return client.line, client.patience_s
    return Line(), PATIENCE_S
