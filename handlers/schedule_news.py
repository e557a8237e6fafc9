"""What the owner of a schedule is told: that it is not sent and why, each thing once, and only while it is true.

Read from the stored fires, by any process and at any time, and told on the road of all notices: what Slack does not take now is told later.
What passes by itself is told only when it has lasted; what a person has to mend at once.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile

from audit.errors import NotFoundError
from exporters.firing import MOST_ATTEMPTS, MOST_FAILURES
from exporters.lateness import first_unsent
from exporters.schedules import Fire, FireState, Schedule
from handlers.blocks.parts import Message, section
from handlers.blocks.texts import code, escape, moment
from handlers.schedule_pages import about
from handlers.services import Services
from remediation.attention import NEWS_FOR, Notice

STUCK, LATE, UNSENT, PARTLY = "stuck", "late", "unsent", "partly"
SCHEDULE_NEWS = frozenset({STUCK, LATE, UNSENT, PARTLY})
LASTS_AFTER = timedelta(minutes=15)
_LOOKED_AT = 1000
_ROOM = 1500


def due_schedule_news(services: Services, now: datetime) -> list[str]:
    """Return the names of what owners of schedules are to be told now."""
    troubled = services.schedules.troubled(now - NEWS_FOR)
    wanted = dict.fromkeys(notice.notice_id for notice in _news(services, troubled, now))
    return services.notices.untold(wanted)


def _news(services: Services, troubled: Iterable[Fire], now: datetime) -> Iterator[Notice]:
    waiting: dict[str, None] = {}
    for fire in troubled:
        if fire.state is FireState.SENT:
            yield Notice(PARTLY, fire.fire_id, "1")
        elif fire.state is FireState.FAILED:
            yield Notice(UNSENT, fire.fire_id, "1")
        elif fire.to_mend:
            yield Notice(STUCK, fire.fire_id, "1")
        else:
            waiting[fire.schedule_id] = None
    for schedule_id in waiting:
        fires = services.schedules.fires(schedule_id, _LOOKED_AT)
        first = first_unsent(fires)
        began_before = (
            len(fires) == _LOOKED_AT and first == fires[-1]
        )  # it was told when it began, further back than we look
        if first and not began_before and now >= first.due_at + LASTS_AFTER and _last_error(fires):
            yield Notice(LATE, first.fire_id, "1")


def build_schedule_news(services: Services, notice: Notice) -> Message | None:
    """Return what is to be said; None where it is no longer true."""
    try:
        fire = services.schedules.fire(notice.about)
        schedule = services.schedules.get(fire.schedule_id)
    except NotFoundError:  # removed meanwhile
        return None
    fires = services.schedules.fires(schedule.schedule_id, _LOOKED_AT)
    said = _late(schedule, fire, fires) if notice.kind == LATE else _one(notice.kind, schedule, fire, fires)
    if not said:
        return None
    words = f"The schedule {code(schedule.schedule_id, 70)} {about(schedule)} {said}"
    return Message(words, (section(words),))


def places_of_news(services: Services, notice: Notice) -> list[str]:
    """Return who is told: its owner; where that is nobody in Slack, or somebody Slack refuses, the configured channel.

    Raises:
        NotFoundError: the schedule was removed meanwhile.
    """
    schedule = services.schedules.get(services.schedules.fire(notice.about).schedule_id)
    return [place for place in (schedule.owner.slack_id, services.channel) if place]


def _one(kind: str, schedule: Schedule, fire: Fire, fires: Iterable[Fire]) -> str:
    """Return the news of one fire; empty where it has fared otherwise since."""
    error = escape(fire.error, _ROOM)
    if kind == PARTLY and fire.state is FireState.SENT:
        return f"did not reach everyone. {error}"
    if kind == STUCK and fire.to_mend and fire.state is FireState.WAITING:
        return f"could not be {schedule.verb}: {error} I try again, up to {MOST_ATTEMPTS - 1} times."
    if kind == UNSENT and fire.state is FireState.FAILED and _is_last_word(fire, fires):
        return _unsent(schedule, fire, error)
    return ""


def _is_last_word(fire: Fire, fires: Iterable[Fire]) -> bool:
    """Tell whether no later one came to nothing as well: that one's news is enough."""
    later = (each for each in fires if each.due_at > fire.due_at)
    return not any(each.state is FireState.FAILED for each in later)


def _unsent(schedule: Schedule, fire: Fire, error: str) -> str:
    if schedule.is_active or schedule.failures < MOST_FAILURES:
        return f"was not {schedule.verb}: {error} Attempts: {fire.attempts}."
    because = escape(schedule.paused_because, _ROOM)
    return f"is paused, because {because} Once that is mended: {code(f'/schedule resume {schedule.schedule_id}', 100)}"


def _late(schedule: Schedule, first: Fire, fires: list[Fire]) -> str:
    if first_unsent(fires) != first or fires[0].state is FireState.FAILED:
        return ""
    error = escape(_last_error(fires), _ROOM)
    if not error:
        return ""
    return (
        f"could not be {schedule.verb} since {moment(first.due_at)}: {error} I keep trying. Nobody has to do anything where that passes; "
        f"the next one that gets through says what was missed."
    )


def _last_error(fires: Iterable[Fire]) -> str:
    """Return why nothing was sent since the last that was; empty where nothing stood in the way. `fires` come newest first."""
    unsent = takewhile(lambda each: each.state is not FireState.SENT, fires)
    return next((each.error for each in unsent if each.error), "")
