"""`/schedule list | daily | weekly | cron | pause | resume | remove | run`. Who may change them, `handlers.members` says."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from audit.errors import NotFoundError, RefusedError
from audit.ports import LATEST
from exporters.schedule_words import read_schedule
from exporters.schedules import Schedule
from handlers.blocks.paging import Page, PageRef
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, to_sentence
from handlers.conversations import is_direct
from handlers.requests import said
from handlers.schedule_pages import build_schedule_list, build_scheduled
from handlers.services import Services
from remediation.ports import Request

T = TypeVar("T")
SCHEDULES = "schedules"
_NEXT = 3
_MOST_LISTED = 10


def list_schedules(services: Services, request: Request, _words: Sequence[str]) -> Message:
    """Show all schedules, each with what became of its last sending."""
    return show_schedules(services, request, PageRef(SCHEDULES))


def show_schedules(services: Services, _request: Request, ref: PageRef) -> Message:
    """Show a page of the schedules, by when they were made."""
    store = services.schedules
    page = Page.read(ref, lambda limit, offset: store.all(limit=limit, offset=offset), size=_MOST_LISTED)
    last = [next(iter(store.fires(schedule.schedule_id, 1)), None) for schedule in page.items]
    return build_schedule_list(page, last)


def make_schedule(services: Services, request: Request, words: Sequence[str], *, every: str) -> Message:
    """Make a schedule; without a channel or an address it sends to where it was asked for.

    Raises:
        InputError: something in it cannot be used.
        NotFoundError: no report is about the account that it names.
        RefusedError: it would go nowhere, or this bot cannot fetch.
    """
    typed = read_schedule(every, words, formats=services.exports.formats)
    if typed.source and services.pull is None:
        raise RefusedError("This bot is not set up to fetch findings.")
    if typed.account:
        services.reports.header(LATEST, account=typed.account)
    channel = typed.channel or ("" if typed.recipients else _here(services, request))
    wish = typed.to_wish(schedule_id_for(request), channel=channel)
    return _shown(services, services.scheduling.add(wish, request.actor), lead="Scheduled:")


make_daily = partial(make_schedule, every="daily")
make_weekly = partial(make_schedule, every="weekly")
make_cron = partial(make_schedule, every="cron")


def pause_schedule(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Let a schedule send nothing until it is resumed.

    Raises:
        NotFoundError: there is none of that name.
    """
    schedule = _named(lambda: services.scheduling.pause(words[0], request.actor))
    return _shown(services, schedule, lead="Paused:")


def resume_schedule(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Let a schedule send again, from now on; see `pause_schedule`."""
    schedule = _named(lambda: services.scheduling.resume(words[0], request.actor))
    return _shown(services, schedule, lead="Active again:")


def remove_schedule(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Forget a schedule; see `pause_schedule`."""
    schedule = _named(lambda: services.scheduling.remove(words[0], request.actor))
    return Message(
        f"Removed: {code(schedule.schedule_id, 70)} sends nothing any more. The trail keeps what it sent."
    )


def run_schedule(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Have a schedule send once now, whatever its times; see `pause_schedule`."""
    fire = _named(lambda: services.scheduling.run_now(words[0], request.actor, key=request.request_id))
    services.dispatcher.submit("fire", fire.fire_id)
    return Message(f"{code(words[0], 70)} is being sent. Its own times stay as they are.")


def schedule_id_for(request: Request) -> str:
    """Return the name of the schedule that a request makes: asked again, it is the same one."""
    return f"s-{hashlib.sha256(request.request_id.encode()).hexdigest()[:6]}"


def _here(services: Services, request: Request) -> str:
    if not is_direct(request):
        return said(request, "channel_id")
    if services.channel:
        return services.channel
    raise RefusedError("Say where it goes: a #channel, or addresses.")


def _named(act: Callable[[], T]) -> T:
    try:
        return act()
    except NotFoundError as error:
        raise NotFoundError(f"{to_sentence(str(error))} `/schedule list` shows them.") from error


def _shown(services: Services, schedule: Schedule, *, lead: str) -> Message:
    return build_scheduled(schedule, schedule.cadence.upcoming(services.clock(), _NEXT), lead=lead)
