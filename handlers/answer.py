"""The worker's door to everything people ask for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from handlers.blocks.parts import Message
from handlers.commands import answer_command
from handlers.decisions import answer_decision
from handlers.errors import to_words
from handlers.replies import reply
from handlers.services import Services
from remediation.ports import Request

log = structlog.get_logger()
Answer = Callable[[Services, Request], Message | None]
_ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {"command": answer_command, "action": answer_decision, "view": answer_decision}
)


def answer(services: Services, request_id: str) -> None:
    """Answer a request from the inbox, once. One that is answered already is left alone.

    Whatever goes wrong is told to the person who asked, and to nobody else.
    """
    request = services.inbox.get(request_id)
    if request is None:
        return
    with structlog.contextvars.bound_contextvars(request_id=request_id, actor=request.actor.label):
        message = _find_answer(services, request)
        if message is not None:
            reply(services.client, request, message)
        services.inbox.done(request_id)
        log.info("request answered", kind=request.kind, privately=message is not None)


def _find_answer(services: Services, request: Request) -> Message | None:
    try:
        return _ANSWERS[request.kind](services, request)
    except Exception as error:  # noqa: BLE001 - the worker boundary: a person waits for an answer
        return to_words(error)
