"""A card and the reply in its thread, put where they belong, and what becomes of a drawing that Slack refuses: for fixes and for batches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from audit.actor import Actor
from handlers.blocks.parts import Message
from handlers.posting import Posted, Poster, Tag, lacks_scope, tell_first
from handlers.services import Services
from handlers.slack_errors import BAD_BLOCKS, GONE, SLACK_FAILURES, code_of, is_passing
from remediation.ports import LONGEST_REST

_LONGEST_WAIT = timedelta(minutes=10)
# Where we may not speak, somebody has to let us in first: asked each hour, for a day, or at the next change.
WAIT_TO_BE_LET_IN = LONGEST_REST
MOST_HOPELESS = 24


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts in vain: 2 s, 4 s, 8 s and so on, 10 min at most."""
    return min(timedelta(seconds=2 ** min(attempts, 20)), _LONGEST_WAIT)


def tell_asker(services: Services, requester: Actor, words: str, *, card_channel: str) -> bool:
    """Tell whoever asked what is not shown in their card's channel; where that was at a shell, or Slack refuses, the configured channel.

    Returns:
        False where Slack gives no answer for now: it is to be told again later. True also where nobody is left to be told.
    """
    elsewhere = services.channel if services.channel != card_channel else ""
    try:
        tell_first(services.client, [requester.slack_id, elsewhere], words)
    except SLACK_FAILURES as error:
        return not is_passing(error)
    return True


@dataclass(frozen=True, slots=True)
class Placing:
    """Edits what stands there, finds what a crash hid, posts what is missing. What Slack refuses is raised: one of `SLACK_FAILURES`."""

    slack: Poster
    log: FilteringBoundLogger

    def place_card(
        self, card: Message, tag: Tag, *, stands: str, since: datetime | None, forget: Callable[[], None]
    ) -> Posted | None:
        """Bring a card up to date where it `stands`; return where it is from now on, None where it stays.

        Args:
            card: what it shows.
            tag: what it is found by.
            stands: its message, empty where none is known.
            since: from when on it is looked for before it is posted; None where it cannot have been posted.
            forget: notes that the old message is gone, before there is a new one.
        """
        if stands and self._edited(stands, card):
            return None
        found = self._find_card(tag, since) if since else None
        forget()
        if found:
            self.slack.edit(found.message_id, card)
        return found or self.slack.post(card, tag)

    def place_reply(self, reply: Message, tag: Tag, *, stands: str, thread: str) -> str:
        """Bring the reply in a card's thread up to date; return its message."""
        if stands and self._edited(stands, reply):
            return stands
        if found := self._find_reply(tag, thread):
            self.slack.edit(found.message_id, reply)
            return found.message_id
        return self.slack.post(reply, tag, thread=thread).message_id

    def show(
        self, show: Callable[[Message], None], message: Message, or_plain: Callable[[], Message], what: str
    ) -> bool:
        """Show a message, in plain words where Slack refuses its blocks; tell whether it took the blocks."""
        try:
            show(message)
        except SLACK_FAILURES as error:
            if code_of(error) not in BAD_BLOCKS:
                raise
            self.log.warning("Slack refuses the blocks", of=what, error=code_of(error))
            show(or_plain())
            return False
        return True

    def _find_card(self, tag: Tag, since: datetime) -> Posted | None:
        try:
            return self.slack.find(tag, since=since)
        except SLACK_FAILURES as error:
            if not lacks_scope(error):
                raise
            self.log.warning("cannot look for the card: missing scope")
            return None

    def _find_reply(self, tag: Tag, thread: str) -> Posted | None:
        try:
            return self.slack.find_reply(tag, thread=thread)
        except SLACK_FAILURES as error:
            if not lacks_scope(error):
                raise
            return None

    def _edited(self, message_id: str, message: Message) -> bool:
        """Edit a message of ours; tell whether it still was there."""
        try:
            self.slack.edit(message_id, message)
        except SLACK_FAILURES as error:
            if code_of(error) != GONE:
                raise
            self.log.warning("message is gone", error=code_of(error))
            return False
        return True
