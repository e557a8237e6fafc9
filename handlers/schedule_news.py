"""What the owner of a schedule is told: that it is not sent and why, each thing once, and only while it is true.

Read from the stored fires, by any process and at any time, and told on the road of all notices: what Slack does not take now is told later.
What passes by itself is told only when it has lasted; what a person has to mend at once.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from audit.errors import NotFoundError
from exporters.firing import MOST_ATTEMPTS, MOST_FAILURES
from exporters.schedules import Fire, FireState, Schedule
from handlers.blocks.parts import Message, section
from handlers.blocks.texts import code, escape, moment
from handlers.schedule_pages import about
from handlers.services import Services
from remediation.attention import NEWS_FOR, Notice

STUCK, LATE, UNSENT, PARTLY = "stuck", "late", "unsent", "partly"
SCHEDULE_NEWS = frozenset({STUCK, LATE, UNSENT, PARTLY})
LASTS_AFTER = timedelta(minutes=15)
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
        outage = services.schedules.outage(schedule_id)
        if outage and outage.error and now >= outage.first.due_at + LASTS_AFTER:
            yield Notice(LATE, outage.first.fire_id, "1")


def build_schedule_news(services: Services, notice: Notice) -> Message | None:
    """Return what is to be said; None where it is no longer true."""
    try:
        fire = services.schedules.fire(notice.about)
        schedule = services.schedules.get(fire.schedule_id)
    except NotFoundError:  # removed meanwhile
        return None
    said = _late(services, schedule, fire) if notice.kind == LATE else _one(services, notice, schedule, fire)
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


def _one(services: Services, notice: Notice, schedule: Schedule, fire: Fire) -> str:
    """Return the news of one fire; empty where it has fared otherwise since."""
    kind, error = notice.kind, escape(fire.error, _ROOM)
    if kind == PARTLY and fire.state is FireState.SENT:
        return f"did not reach everyone. {error}"
    if kind == STUCK and fire.to_mend and fire.state is FireState.WAITING:
        return f"could not be {schedule.verb}: {error} I try again, up to {MOST_ATTEMPTS - 1} times."
    if kind == UNSENT and fire.state is FireState.FAILED and _is_last_word(services, fire):
        return _unsent(schedule, fire, error)
    return ""


def _is_last_word(services: Services, fire: Fire) -> bool:
    """Tell whether no later one came to nothing as well: that one's news is enough."""
    last = services.schedules.last_failed(fire.schedule_id)
    return last is None or last.due_at <= fire.due_at


def _unsent(schedule: Schedule, fire: Fire, error: str) -> str:
    if schedule.is_active or schedule.failures < MOST_FAILURES:
        return f"was not {schedule.verb}: {error} Attempts: {fire.attempts}."
    because = escape(schedule.paused_because, _ROOM)
    return f"is paused, because {because} Once that is mended: {code(f'/schedule resume {schedule.schedule_id}', 100)}"


def _late(services: Services, schedule: Schedule, first: Fire) -> str:
    outage = services.schedules.outage(schedule.schedule_id)
    if outage is None or outage.first.fire_id != first.fire_id or outage.newest.state is FireState.FAILED:
        return ""
    if not outage.error:
        return ""
    return (
        f"could not be {schedule.verb} since {moment(first.due_at)}: {escape(outage.error, _ROOM)} I keep trying. "
        f"Nobody has to do anything where that passes; the next one that gets through says what was missed."
    )
