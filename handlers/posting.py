"""Messages of ours in Slack: post one, edit one, find one again by its metadata."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from audit.actor import Actor
from handlers.blocks.parts import Message
from handlers.clients import make_careful
from handlers.slack_errors import SLACK_FAILURES, code_of, is_passing

log = structlog.get_logger()
_PAGE, _MOST_PAGES = 200, 25
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tag:
    """What a message is, kept in its metadata so that it can be found again: an event name and what it is about."""

    name: str
    execution_id: str
    revision: int

    def to_dict(self) -> dict[str, object]:
        """Return it as message metadata."""
        about = {"execution_id": self.execution_id, "revision": self.revision}
        return {"event_type": self.name, "event_payload": about}


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message stands: the channel's id and the message's own (`ts`)."""

    channel: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Poster:
    """Speaks in one channel. Every method raises one of `SLACK_FAILURES` when Slack refuses or does not answer."""

    client: WebClient
    channel: str

    def post(
        self, message: Message, tag: Tag, *, thread: str | None = None, is_broadcast: bool = False
    ) -> Posted:
        """Post a message, into a thread where one is named, and into the channel as well where it `is_broadcast`. Never repeated when it may have arrived."""
        posted = make_careful(self.client).chat_postMessage(
            channel=self.channel,
            thread_ts=thread,
            reply_broadcast=True if thread and is_broadcast else None,
            metadata=tag.to_dict(),
            unfurl_links=False,
            unfurl_media=False,
            **message.to_dict(),  # type: ignore[arg-type]
        )
        return Posted(str(posted["channel"]), str(posted["ts"]))

    def edit(self, message_id: str, message: Message) -> None:
        """Put another content into a message; harmless to repeat."""
        self.client.chat_update(channel=self.channel, ts=message_id, **message.to_dict())  # type: ignore[arg-type]

    def find(self, tag: Tag, *, since: datetime) -> Posted | None:
        """Return our own message with this tag among those of the channel since then: whichever way round Slack lists them, all of them are read."""
        oldest, cursor = f"{(since - _CLOCK_SKEW).timestamp():.6f}", ""
        for _ in range(_MOST_PAGES):
            history = self.client.conversations_history(
                channel=self.channel,
                oldest=oldest,
                limit=_PAGE,
                include_all_metadata=True,
                cursor=cursor or None,
            )
            if found := self._among(history.get("messages"), tag):
                return found
            cursor = str((history.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return None

    def find_reply(self, tag: Tag, *, thread: str) -> Posted | None:
        """Return our own reply with this tag in a thread."""
        replies = self.client.conversations_replies(
            channel=self.channel, ts=thread, limit=_PAGE, include_all_metadata=True
        )
        return self._among(replies.get("messages"), tag)

    def files_in(self, thread: str) -> set[str]:
        """Return the names of the files that we have shared in a thread."""
        replies = self.client.conversations_replies(channel=self.channel, ts=thread, limit=_PAGE).get(
            "messages"
        )
        mine = [reply for reply in (replies if isinstance(replies, list) else []) if reply.get("bot_id")]
        return {str(file.get("name")) for reply in mine for file in reply.get("files") or ()}

    def _among(self, messages: object, tag: Tag) -> Posted | None:
        for message in messages if isinstance(messages, list) else []:
            if isinstance(message, Mapping) and _carries(message, tag):
                return Posted(self.channel, str(message["ts"]))
        return None


def _carries(message: Mapping[str, object], tag: Tag) -> bool:
    """Tell whether a bot posted this with our tag; other people's metadata proves nothing."""
    return bool(message.get("bot_id")) and message.get("metadata") == tag.to_dict()


def tell(client: WebClient, person: Actor, text: str) -> None:
    """Tell a person something in our conversation with them. What Slack does not take is logged."""
    if person.slack_id:
        tell_channel(client, person.slack_id, text)


def tell_channel(client: WebClient, channel: str, text: str) -> None:
    """Tell a channel, or nobody where there is none. What Slack does not take is logged."""
    if not channel:
        return
    try:
        make_careful(client).chat_postMessage(channel=channel, text=text)
    except SLACK_FAILURES as error:
        log.warning("nobody told", channel=channel, error=code_of(error))


def tell_first(client: WebClient, places: Iterable[str], text: str) -> None:
    """Tell the first of these channels and people that there is and that Slack lets us speak to.

    Raises one of `SLACK_FAILURES`: of a passing weakness at the first that has it, else what the last refused with.
    """
    refused: Exception | None = None
    for place in filter(None, places):
        try:
            make_careful(client).chat_postMessage(channel=place, text=text)
        except SLACK_FAILURES as error:
            log.warning("not told", channel=place, error=code_of(error))
            if is_passing(error):
                raise
            refused = error
        else:
            return
    if refused:
        raise refused


def lacks_scope(error: Exception) -> bool:
    """Tell whether Slack refused because the app was not given the permission."""
    return isinstance(error, SlackApiError) and code_of(error) == "missing_scope"
