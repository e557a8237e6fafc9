"""A click on a batch's card becomes one decision about exactly the set that it showed, or a private no that says why."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import structlog

from audit.errors import CountersignError, RefusedError
from handlers.batch_returns import describe_return, list_items, make_batch_rollbacks
from handlers.blocks.batch_private import build_batch_rollback_ordered, build_batch_signed
from handlers.blocks.names import (
    BATCH_APPROVE,
    BATCH_APPROVE_FORM,
    BATCH_APPROVE_HERE,
    BATCH_CHOOSE_FORM,
    BATCH_REFUSE_ROLLBACK,
    BATCH_REJECT_FORM,
    BATCH_ROLL_BACK,
    BATCH_ROLL_BACK_HERE,
    BatchRef,
)
from handlers.blocks.parts import Message
from handlers.lateness import refuse_old
from handlers.requests import said, said_list
from handlers.services import Services
from handlers.wishes import read_wish
from remediation.batch_deciding import BatchDecisions
from remediation.execution import PlaybookExecution
from remediation.ports import Request
from remediation.states import PlaybookStatus

Decide = Callable[[Services, Request, BatchRef], Message | None]
# Said in place of a refusal: the first attempt may have done what the second finds in its way.
_CUT_OFF = (
    "This was cut off in the middle. What was done by then stays done: look at the card, which shows where each item stands, "
    "and say it again there for the rest. A rollback that was begun goes on by itself."
)


def answer_batch_decision(services: Services, request: Request, name: str) -> Message | None:
    """Do what a click or a form about a batch says. Its answer is the card itself; only what stays undone is told.

    Raises:
        CountersignError: it was refused; the card is brought up to date all the same.
    """
    ref = BatchRef.parse(said(request, "value"))
    structlog.contextvars.bind_contextvars(batch_id=ref.batch_id)
    try:
        refuse_old(request, now=services.clock())
        return BATCH_DECISIONS[name](services, request, ref)
    except CountersignError as error:
        services.dispatcher.submit("batch", ref.batch_id)
        if request.attempts > 1:
            raise RefusedError(_CUT_OFF) from error
        raise


def _approve(services: Services, request: Request, ref: BatchRef) -> None:
    _sign(services, request, ref)


def _approve_here(services: Services, request: Request, ref: BatchRef) -> Message:
    decided = _sign(services, request, ref)
    return build_batch_signed(services.batches.members(ref.batch_id), len(decided))


def _sign(services: Services, request: Request, ref: BatchRef) -> list[PlaybookExecution]:
    decided = _decisions(services).approve(ref.batch_id, request.actor, set_seen=ref.set_seen)
    for execution in decided:
        if execution.status is PlaybookStatus.APPROVED:
            services.dispatcher.submit("run", execution.execution_id)
    return decided


def _reject(services: Services, request: Request, ref: BatchRef) -> None:
    _decisions(services).reject(
        ref.batch_id,
        request.actor,
        set_seen=ref.set_seen,
        reason=said(request, "reason"),
        wish=read_wish(request),
    )


def _take_out(services: Services, request: Request, ref: BatchRef) -> None:
    kept = set(said_list(request, "kept"))
    waiting = {each.execution_id for each in services.batches.members(ref.batch_id).waiting}
    _decisions(services).reject(
        ref.batch_id,
        request.actor,
        set_seen=ref.set_seen,
        reason=said(request, "reason"),
        only=waiting - kept,
        wish=read_wish(request),
    )


def _roll_back(services: Services, request: Request, ref: BatchRef) -> Message | None:
    came = make_batch_rollbacks(services).ask(ref.batch_id, request.actor, set_seen=ref.set_seen)
    return describe_return(services, ref.batch_id, came)


def _roll_back_here(services: Services, request: Request, ref: BatchRef) -> Message:
    told = _roll_back(services, request, ref)
    if told is not None:
        return replace(told, replaces=True)
    return build_batch_rollback_ordered(services.batches.members(ref.batch_id))


def _refuse_rollback(services: Services, request: Request, ref: BatchRef) -> Message | None:
    said = make_batch_rollbacks(services).refuse(ref.batch_id, request.actor, set_seen=ref.set_seen)
    if not said.broken:
        return None
    items = services.batches.members(ref.batch_id).executions
    lead = f"Refused for {len(said.done)}. For {len(said.broken)} it could not be stored:"
    return Message("\n".join([lead, *list_items(items, said.broken)]))


def _decisions(services: Services) -> BatchDecisions:
    return BatchDecisions(services.remediation, services.batches)


BATCH_DECISIONS: Mapping[str, Decide] = MappingProxyType(
    {
        BATCH_APPROVE: _approve,
        BATCH_APPROVE_HERE: _approve_here,
        BATCH_APPROVE_FORM: _approve,
        BATCH_CHOOSE_FORM: _take_out,
        BATCH_REJECT_FORM: _reject,
        BATCH_ROLL_BACK: _roll_back,
        BATCH_ROLL_BACK_HERE: _roll_back_here,
        BATCH_REFUSE_ROLLBACK: _refuse_rollback,
    }
)
