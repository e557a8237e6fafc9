"""What a fire posts, once: a fire that was begun before may have posted already, so Slack is asked first.

The message with a fire's id in its metadata is looked for before another one is posted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from audit.errors import InputError, UnavailableError
from exporters.firing import LEASE
from exporters.schedules import Fire, Schedule
from handlers.beside import share_once, text_file
from handlers.blocks.parts import Message
from handlers.blocks.whole import words_of
from handlers.posting import Posted, Poster, Tag, lacks_scope
from handlers.services import Services
from handlers.slack_errors import BAD_BLOCKS, SLACK_FAILURES, advise, code_of, is_passing

log = structlog.get_logger()
WORDS = "message.txt"


def post_once(poster: Poster, fire: Fire, name: str, build: Callable[[], Message]) -> str:
    """Post a fire's message, unless it stands there already, and return its id; where Slack refuses its blocks, its words alone, and the whole as a file below."""
    if fire.attempts > 1 and (found := find_post(poster, fire, name)):
        return found.message_id
    message, tag = build(), Tag(name, fire.fire_id, 1)
    try:
        return poster.post(message, tag).message_id
    except SLACK_FAILURES as error:
        if code_of(error) not in BAD_BLOCKS:
            raise
        log.exception("Slack refuses a fire's blocks", error=code_of(error))
        posted = poster.post(Message(message.text), tag)
        whole = text_file(WORDS, words_of(message))
        share_once(poster.client, posted.channel, whole, thread=posted.message_id, comment="The whole of it")
        return posted.message_id


def find_post(poster: Poster, fire: Fire, name: str) -> Posted | None:
    """Return this fire's message, None where there is none, or we may not look."""
    try:
        return poster.find(Tag(name, fire.fire_id, 1), since=fire.due_at)
    except SLACK_FAILURES as error:
        if not lacks_scope(error):
            raise
        log.warning("cannot look for what a fire has posted: missing scope")
        return None


def hold_fire(services: Services, fire: Fire) -> Callable[[], None]:
    """Return what says that we are still at it, before the lease is over; it raises StateError where we are not, or have to stop."""

    def hold() -> None:
        services.go_on()
        services.schedules.note(replace(fire, not_before=services.clock() + LEASE))

    return hold


def work_reports_in(services: Services, fire: Fire) -> None:
    """Have what was read in worked into the findings' states: only then is it known what is open and what came back."""
    hold = hold_fire(services, fire)
    while services.tracker.catch_up(services.clock()):
        hold()


@contextmanager
def in_words(schedule: Schedule) -> Iterator[None]:
    """Say what Slack refuses in words for the owner.

    Raises:
        InputError: Slack refused.
        UnavailableError: it gives no answer for now.
    """
    try:
        yield
    except SLACK_FAILURES as error:
        kind = UnavailableError if is_passing(error) else InputError
        raise kind(f"{advise(code_of(error))} (channel {schedule.channel})") from error
