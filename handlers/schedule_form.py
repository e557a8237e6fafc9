"""What was chosen in the form of `/schedule`, as the words that somebody would have typed; or what is wrong with it, by field."""

from collections.abc import Mapping
from typing import Any

from audit.errors import InputError
from audit.pull_words import read_pull, spell_pull
from exporters.cadence import Cadence
from exporters.mail_addresses import to_addresses
from handlers.blocks.names import (
    ACCOUNT,
    ADDRESSES,
    CHANNEL_PICK,
    CRON,
    EVERY,
    FETCH,
    FORMAT,
    TIME,
    WORD,
    ZONE_PICK,
)
from handlers.blocks.schedule_form import BY_LINE, PULL
from handlers.requests import chosen

Errors = dict[str, str]
_FIELDS = (WORD, EVERY, TIME, CRON, ZONE_PICK, CHANNEL_PICK, ADDRESSES, FORMAT, ACCOUNT, FETCH)
_AWS = "aws"


def read_schedule_form(body: Mapping[str, Any]) -> tuple[list[str], Errors]:
    """Return the words that were chosen, or what is wrong, by field."""
    given, errors = {name: chosen(body, name) for name in _FIELDS}, Errors()
    is_pull = given[WORD] == PULL
    words = [*_when(given, errors), *_where(given, errors, is_pull=is_pull)]
    words += _fetched(given, errors) if is_pull else _digest(given, errors)
    return words, errors


def _when(given: Mapping[str, str], errors: Errors) -> list[str]:
    zone = given[ZONE_PICK] or "UTC"
    if given[EVERY] != BY_LINE:
        if not given[TIME]:
            errors[TIME] = "Say at what time."
        return [*given[EVERY].split(), given[TIME], zone]
    if not given[CRON]:
        errors[CRON] = "Say when: minute, hour, day, month and weekday, such as 0 9 * * 1-5."
    else:
        try:
            Cadence(cron=given[CRON], zone=zone)
        except InputError as error:
            errors[CRON] = str(error)
    return [BY_LINE, given[CRON], zone]


def _where(given: Mapping[str, str], errors: Errors, *, is_pull: bool) -> list[str]:
    channel, typed = given[CHANNEL_PICK], given[ADDRESSES].replace(",", " ").replace(";", " ").split()
    if typed and is_pull:
        errors[ADDRESSES] = "What is fetched is told in a channel; for a mail, schedule a digest as well."
    elif not (channel or typed):
        errors[CHANNEL_PICK] = (
            "Choose a channel." if is_pull else "Choose a channel, or say to which addresses."
        )
    try:
        addresses = to_addresses(typed, role="recipient")
    except InputError as error:
        errors.setdefault(ADDRESSES, str(error))
        return []
    return [*([f"#{channel}"] if channel else []), *addresses]


def _digest(given: Mapping[str, str], errors: Errors) -> list[str]:
    if given[FETCH]:
        errors[FETCH] = "Only where findings are fetched."
    account = [f"account:{given[ACCOUNT]}"] if given[ACCOUNT] else []
    return [*filter(None, [given[FORMAT]]), *account]


def _fetched(given: Mapping[str, str], errors: Errors) -> list[str]:
    if given[FORMAT]:
        errors[FORMAT] = "Only for a digest: what is fetched is told in words."
    if given[ACCOUNT]:
        errors[ACCOUNT] = "Only for a digest: name it in the field about what is fetched."
    words = given[FETCH].split()
    try:
        return [PULL, *spell_pull(read_pull(words if words[:1] == [_AWS] else [_AWS, *words])).split()]
    except InputError as error:
        errors[FETCH] = str(error)
        return []
