"""The form of `/schedule`: what, when, and where to."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from slack_sdk.models.blocks import ConversationFilter, ConversationSelectElement, Option, TimePickerElement
from slack_sdk.models.views import View

from handlers.blocks.form_parts import build_form, choice, field, line, option, picker, words_of
from handlers.blocks.names import (
    ACCOUNT,
    ADDRESSES,
    CHANNEL_PICK,
    CRON,
    EVERY,
    FETCH,
    FORMAT,
    SCHEDULE_FORM,
    TIME,
    WORD,
    ZONE_PICK,
)
from handlers.vocabulary import SCHEDULE

DIGEST: Final = "digest"
PULL: Final = "pull"
BY_LINE: Final = "cron"
DAILY: Final = "daily"
WEEKLY: Final = "weekly"
_WHAT: Mapping[str, str] = MappingProxyType(
    {DIGEST: "A digest of the newest report", PULL: "Findings fetched from AWS Security Hub"}
)
_MORNING = "09:00"


def build_schedule_form(
    formats: Mapping[str, str], weekdays: Sequence[str], *, channel: str, channel_name: str
) -> View:
    """Return the form; a channel it is opened in is where it sends to until somebody chooses another."""
    kinds = [option(name, name, what) for name, what in formats.items()]
    return build_form(
        SCHEDULE_FORM,
        SCHEDULE,
        [
            field(WORD, "What?", choice(WORD, [option(name, text) for name, text in _WHAT.items()])),
            field(EVERY, "How often?", choice(EVERY, _times(weekdays))),
            field(
                TIME,
                "At what time?",
                TimePickerElement(action_id=TIME, initial_time=_MORNING),
                is_optional=True,
            ),
            field(ZONE_PICK, "In which time zone?", picker(ZONE_PICK, "UTC"), is_optional=True),
            field(CRON, "By which crontab line?", line(CRON, "0 9 * * 1-5"), is_optional=True),
            field(CHANNEL_PICK, "To which channel?", _channels(channel, channel_name), is_optional=True),
            field(ADDRESSES, "To which addresses?", line(ADDRESSES, "ciso@company.com"), is_optional=True),
            field(FORMAT, "With the report as what?", choice(FORMAT, kinds, first=False), is_optional=True),
            field(
                ACCOUNT,
                "Of which account alone?",
                line(ACCOUNT, "All of them"),
                is_optional=True,
                hint="For a digest; as the reports name it, such as 123456789012.",
            ),
            field(
                FETCH,
                "Which findings are fetched?",
                line(FETCH, "aws eu-central-1 critical high"),
                is_optional=True,
                hint="A region, an account, severities, in any order; all of them where nothing is said.",
            ),
        ],
        carries={"channel": channel, "channel_name": channel_name},
    )


def _times(weekdays: Sequence[str]) -> list[Option]:
    days = [option(f"{WEEKLY} {day.casefold()}", f"Every {day}") for day in weekdays]
    return [option(DAILY, "Every day"), *days, option(BY_LINE, "By a crontab line")]


def _channels(channel: str, channel_name: str) -> ConversationSelectElement:
    return ConversationSelectElement(
        action_id=CHANNEL_PICK,
        placeholder=words_of("A channel that I am in", 150),
        initial_conversation=channel
        if channel[:1] in {"C", "G"} and channel_name != "directmessage"
        else None,
        filter=ConversationFilter(include=["public", "private"]),
    )
