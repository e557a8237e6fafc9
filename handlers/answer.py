"""The worker's door to everything people ask for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from audit.errors import CountersignError, HandedOverError
from handlers.blocks.names import NEXT_PAGE, PREVIOUS_PAGE, SHOW_FINDINGS
from handlers.blocks.parts import Message
from handlers.clicks import answer_click
from handlers.commands import answer_command
from handlers.decisions import answer_decision
from handlers.errors import refer, to_words
from handlers.importing import answer_shortcut
from handlers.paging import turn_page
from handlers.replies import reply
from handlers.requests import said
from handlers.services import Services
from remediation.ports import Request

log = structlog.get_logger()
MOST_ATTEMPTS = 3
Answer = Callable[[Services, Request], Message | None]


def _answer_click(services: Services, request: Request) -> Message | None:
    """Turn a page, or decide."""
    turns_page = said(request, "action_id") in {PREVIOUS_PAGE, NEXT_PAGE, SHOW_FINDINGS}
    return turn_page(services, request) if turns_page else answer_click(services, request)


_ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "command": answer_command,
        "action": _answer_click,
        "view": answer_decision,
        "shortcut": answer_shortcut,
    }
)


def answer(services: Services, request_id: str) -> None:
    """Answer a request from the inbox. One that is answered already is left alone.

    One that another process has in hand is left to it. Whatever goes wrong is told to the person who asked, and to nobody else. An attempt is counted before it is made, and
    what was done is noted before it is told: a request that kills its process is given up on after a few, and an answer that
    cannot be sent repeats nothing.
    """
    services.intake.give_way()
    request = services.inbox.begin(request_id, owner=services.runner.journal.owner, now=services.clock())
    if request is None:
        return
    with structlog.contextvars.bound_contextvars(request_id=request_id, actor=request.actor.label):
        try:
            message, outcome = _find_answer(services, request)
        except HandedOverError:  # it stays in the inbox, for the next process
            log.info("request handed over", kind=request.kind)
            return
        services.inbox.done(request_id)
        if message is not None:
            url = services.reply_urls.take(request_id, now=services.clock())
            reply(services.client, request, message, url=url)
        seconds = (services.clock() - request.received_at).total_seconds()
        services.answered(request.kind, outcome, seconds)
        log.info("request answered", kind=request.kind, outcome=outcome, privately=message is not None)


def _find_answer(services: Services, request: Request) -> tuple[Message | None, str]:
    """Return what to say, and how it went."""
    if request.attempts > MOST_ATTEMPTS:
        return refer("request given up", kind=request.kind, attempts=request.attempts), "given_up"
    try:
        return _ANSWERS[request.kind](services, request), "ok"
    except HandedOverError:
        raise
    except Exception as error:  # noqa: BLE001 - the worker boundary: a person waits for an answer
        return to_words(error), "refused" if isinstance(error, CountersignError) else "failed"
