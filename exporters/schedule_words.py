"""A schedule as people type it, in Slack and in a shell: `daily 09:00 Europe/Berlin #security ciso@company.com pdf`.

`account:123456789012` makes it a digest of that account alone.

Behind the word `pull` stands what is fetched, as `/report pull` takes it: `daily 06:00 #security pull aws eu-central-1`.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from audit.errors import InputError
from audit.pull_words import read_pull, spell_pull
from audit.wording import nearest
from exporters.cadence import WEEKDAY_NAMES, Cadence, zone_named
from exporters.crontab import WEEKDAYS
from exporters.mail_addresses import to_addresses
from exporters.schedules import ACCOUNT, DEFAULT_FORMAT, ScheduleKind
from exporters.scheduling import Wish
from exporters.text import clip, one_line

_TIME = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})")
_CHANNEL = re.compile(r"#?([CG][A-Z0-9]{2,20})")
_SHORTEST_DAY = 3
_LAST_HOUR, _LAST_MINUTE = 23, 59
_PULL = "pull"
_LONGEST_ACCOUNT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was typed, understood. `channel` is a Slack id; empty where none was named. `source` is what is fetched, if anything is.

    `account` is the only one that a digest is about; empty where it is about all.
    """

    cadence: Cadence
    channel: str
    recipients: tuple[str, ...]
    format: str
    source: str = ""
    account: str = ""

    def to_wish(self, schedule_id: str, *, channel: str) -> Wish:
        """Return the wish that was typed, under a name, sending into this channel."""
        return Wish(
            schedule_id=schedule_id,
            cadence=self.cadence,
            kind=ScheduleKind.PULL if self.source else ScheduleKind.DIGEST,
            channel=channel,
            recipients=self.recipients,
            format=self.format,
            source=self.source or (f"{ACCOUNT}{self.account}" if self.account else ""),
        )


def read_schedule(every: str, words: Sequence[str], *, formats: Collection[str]) -> Words:
    """Read what follows `daily`, `weekly` or `cron`: the time, then zone, channel, addresses, format and account in any order.

    Raises:
        InputError: something is missing, said twice or cannot be used; says what, and what would do.
    """
    taken = 2 if every == "weekly" else 1
    rest, fetched = _split(words[taken:])
    typed = _read(every, words[:taken], rest, formats=formats)
    return _with_source(typed, fetched) if fetched else typed


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words about where it goes, and those about what is fetched; a channel may stand behind these, too."""
    place = next((place for place, word in enumerate(words) if word.lower() == _PULL), len(words))
    behind = words[place + 1 :] or [""] * (place < len(words))
    fetched = [word for word in behind if not word.startswith("#")]
    return [*words[:place], *(word for word in behind if word.startswith("#"))], fetched


def _with_source(typed: Words, fetched: Sequence[str]) -> Words:
    if typed.recipients or typed.format != DEFAULT_FORMAT:
        raise InputError(
            "What is fetched is told in a channel; for a mail or a file, schedule a digest as well"
        )
    if typed.account:
        raise InputError(
            f"What is fetched names its account without {ACCOUNT}, behind the word pull: pull aws 123456789012"
        )
    return replace(typed, format="", source=spell_pull(read_pull(fetched)))


def _read(every: str, when: Sequence[str], rest: Sequence[str], *, formats: Collection[str]) -> Words:
    _refuse_misplaced(every, when, rest)
    accounts = [word for word in rest if word.lower().startswith(ACCOUNT)]
    rest = [word for word in rest if word not in accounts]
    addresses = [part for word in rest if "@" in word for part in re.split("[,;]", word) if part]
    channels = [word for word in rest if "@" not in word and word.startswith("#")]
    kinds = [word.lower() for word in rest if word.lower() in formats]
    others = [
        word for word in rest if "@" not in word and not word.startswith("#") and word.lower() not in formats
    ]
    for name, found in (
        ("account", accounts),
        ("channel", channels),
        ("format", kinds),
        ("time zone", others),
    ):
        if len(found) > 1:
            raise InputError(f"Say one {name}, not {len(found)}: {', '.join(map(_shown, found))}")
    account = (
        _account(accounts[0]) if accounts else ""
    )  # before the zone, for which a word behind a space is taken
    zone = _zone(others[0], formats) if others else "UTC"
    return Words(
        cadence=_cadence(every, when, zone),
        channel=_channel(channels[0]) if channels else "",
        recipients=to_addresses(addresses, role="recipient"),
        format=kinds[0] if kinds else DEFAULT_FORMAT,
        account=account,
    )


def _refuse_misplaced(every: str, when: Sequence[str], rest: Sequence[str]) -> None:
    """Refuse another word in the time's place as what it is, before the time behind it is taken for a time zone.

    Raises:
        InputError: names that word, and where the time belongs.
    """
    time = next((word for word in rest if _TIME.fullmatch(word)), None)
    if time is None or every == "cron":
        return
    if every == "weekly":
        _weekday(when[0])
    if _TIME.fullmatch(when[-1]):
        raise InputError(f"Say one time, not 2: {_shown(when[-1])}, {_shown(time)}")
    ahead = " ".join((every, *when[:-1]))
    raise InputError(
        f"“{_shown(when[-1])}” stands where the time belongs. Type {_shown(f'{ahead} {time}')}, and the rest behind it"
    )


def _cadence(every: str, when: Sequence[str], zone: str) -> Cadence:
    if every == "cron":
        return Cadence(cron=when[0], zone=zone)
    if every == "daily":
        hour, minute = _time(when[0])
        return Cadence.daily(hour, minute, zone=zone)
    hour, minute = _time(when[1])
    return Cadence.weekly(_weekday(when[0]), hour, minute, zone=zone)


def _time(word: str) -> tuple[int, int]:
    match = _TIME.fullmatch(word)
    if match is None:
        raise InputError(f"“{_shown(word)}” is no time: write it as 09:00, on the 24-hour clock")
    hour, minute = int(match[1]), int(match[2])
    if hour > _LAST_HOUR or minute > _LAST_MINUTE:
        raise InputError(
            f"“{_shown(word)}” is no time of the day: that goes from 00:00 to 23:59. Type it as 09:00, on the 24-hour clock"
        )
    return hour, minute


def _weekday(word: str) -> int:
    folded = word.casefold()
    for number, day in enumerate(WEEKDAY_NAMES):
        if len(folded) >= _SHORTEST_DAY and day.casefold().startswith(folded):
            return number
    raise InputError(f"“{_shown(word)}” is no weekday: those are {', '.join(WEEKDAYS)}")


def _channel(word: str) -> str:
    match = _CHANNEL.fullmatch(word)
    if match is None:
        raise InputError(
            f"“{_shown(word)}” is no channel I know: pick it from Slack's list as you type #, or give its id (C…)"
        )
    return match[1]


def _account(word: str) -> str:
    account = one_line(word[len(ACCOUNT) :])
    if not account or len(account) > _LONGEST_ACCOUNT:
        raise InputError(f"{ACCOUNT} needs an account right behind it, such as {ACCOUNT}123456789012")
    return account


def _zone(word: str, formats: Collection[str]) -> str:
    try:
        return zone_named(word).key
    except InputError as error:
        if near := nearest(word, formats):
            raise InputError(
                f"“{_shown(word)}” is no format and no time zone. Did you mean {near}?"
            ) from error
        raise


def _shown(text: str) -> str:
    return clip(one_line(text), 60)
