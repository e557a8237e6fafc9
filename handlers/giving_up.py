"""The end of what could not be told: it is on the trail, in the log, and somebody else hears of it.

Nothing here leans on what stood in the way: neither on the place that did not take it, nor on what it was about still being there.
"""

from types import MappingProxyType

import structlog

from audit.actor import WORKER, Actor
from audit.errors import NotFoundError
from audit.trail import TrailEvent
from handlers.blocks.texts import code, escape, place
from handlers.posting import tell, tell_channel
from handlers.services import Services
from remediation.attention import ESCALATION, EXCEPTION_OVER, GLASS, OVERDUE, REMINDER, Notice
from remediation.ports import MOST_NOTICE_ATTEMPTS

log = structlog.get_logger()
_WHAT = MappingProxyType(
    {
        REMINDER: "A reminder that approvers still have to decide",
        ESCALATION: "That nobody decided in time",
        EXCEPTION_OVER: "That an exception is over",
        GLASS: "That somebody broke the glass",
        OVERDUE: "That nobody has reviewed broken glass",
    }
)


def give_up_notice(services: Services, notice: Notice) -> None:
    """Say that something could not be told: on the trail, to the configured channel, and to whoever asked for the fix.

    Raises:
        TrailError: the trail cannot be written; it is tried again.
    """
    log.error("notice given up", notice=notice.notice_id, attempts=MOST_NOTICE_ATTEMPTS)
    detail = {"notice": notice.notice_id, "attempts": MOST_NOTICE_ATTEMPTS}
    services.trail.record(
        TrailEvent(
            kind="notice.given_up", actor=WORKER, at=services.clock(), subject=notice.about, detail=detail
        )
    )
    words = _words(notice)
    tell_channel(services.client, services.channel, words)
    tell(services.client, _requester(services, notice), words)


def _words(notice: Notice) -> str:
    what = _WHAT.get(notice.kind, escape(notice.kind, 40))
    where = f" in {place(notice.number)}" if notice.kind == ESCALATION else ""
    about = code(notice.about, 80)
    return (
        f"⚠️ {what} ({about}) could not be told{where}: Slack took none of {MOST_NOTICE_ATTEMPTS} attempts. "
        f"It is not tried again. Pass it on; `/playbook status` and `/playbook exceptions` show where things stand."
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
