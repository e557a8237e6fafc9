"""The end of what could not be told: it is on the trail, in the log, and somebody else hears of it.

Nothing here leans on what stood in the way: neither on the place that did not take it, nor on what it was about still being there.
"""

from collections.abc import Sequence
from types import MappingProxyType

import structlog

from audit.actor import WORKER, Actor
from audit.errors import NotFoundError
from audit.trail import TrailEvent
from handlers.blocks.texts import code, escape, place
from handlers.posting import tell_first
from handlers.schedule_news import LATE, PARTLY, SCHEDULE_NEWS, STUCK, UNSENT
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, is_passing
from remediation.attention import ESCALATION, EXCEPTION_OVER, GLASS, OVERDUE, REMINDER, Notice

log = structlog.get_logger()
_WHAT = MappingProxyType(
    {
        REMINDER: "A reminder that approvers still have to decide",
        ESCALATION: "That nobody decided in time",
        EXCEPTION_OVER: "That an exception is over",
        GLASS: "That somebody broke the glass",
        OVERDUE: "That nobody has reviewed broken glass",
        STUCK: "That something has to be mended before a schedule can send",
        LATE: "That a schedule has been late for some time",
        UNSENT: "That a schedule did not send",
        PARTLY: "That a schedule did not reach everyone",
    }
)


def give_up_notice(services: Services, notice: Notice, why: str, *, said: str = "") -> bool:
    """Say that something could not be told, and what it was: to the configured channel and to whoever asked for the fix, and on the trail.

    Returns:
        False where Slack gives no answer even to that: it is to be tried again.

    Raises:
        TrailError: the trail cannot be written; it is tried again.
    """
    places = list(filter(None, (services.channel, _requester(services, notice).slack_id)))
    if not _tell_any(services, places, _words(notice, why, said)):
        return False
    log.error("notice given up", notice=notice.notice_id, why=why)
    detail = {"notice": notice.notice_id, "why": why}
    services.trail.record(
        TrailEvent(
            kind="notice.given_up", actor=WORKER, at=services.clock(), subject=notice.about, detail=detail
        )
    )
    return True


def _tell_any(services: Services, places: Sequence[str], words: str) -> bool:
    """Tell each of them; False where nobody was told and that may pass."""
    failures = list(filter(None, (_failure(services, each, words) for each in places)))
    return len(failures) < len(places) or not any(is_passing(failure) for failure in failures)


def _failure(services: Services, where: str, words: str) -> Exception | None:
    try:
        tell_first(services.client, [where], words)
    except SLACK_FAILURES as error:
        return error
    return None


def _words(notice: Notice, why: str, said: str) -> str:
    what = _WHAT.get(notice.kind, escape(notice.kind, 40))
    where = f" in {place(notice.number)}" if notice.kind == ESCALATION else ""
    was = f"\nIt was to say: {said}" if said else ""
    shown = "`/playbook status` and `/playbook exceptions` show where things stand"
    if notice.kind in SCHEDULE_NEWS:
        shown = "`/schedule list` shows how each schedule went last"
    return (
        f"⚠️ {what} ({code(notice.about, 80)}) could not be told{where}: {why} "
        f"It is not tried again. Pass it on; {shown}.{was}"
    )


def _requester(services: Services, notice: Notice) -> Actor:
    """Return who asked for the fix that it is about; nobody where that is gone."""
    try:
        name = notice.about
        if notice.kind == EXCEPTION_OVER:
            name = services.exceptions.get(name).execution_id
        return services.executions.get(name).requester
    except NotFoundError:
        return WORKER
