"""A click on a batch's card becomes one decision about exactly the set that it showed, or a private no that says why."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from audit.errors import RefusedError, StateError
from handlers.blocks.names import (
    BATCH_APPROVE,
    BATCH_APPROVE_FORM,
    BATCH_CHOOSE_FORM,
    BATCH_REFUSE_ROLLBACK,
    BATCH_REJECT_FORM,
    BATCH_ROLL_BACK,
    BatchRef,
)
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape
from handlers.lateness import refuse_old
from handlers.requests import said, said_list
from handlers.services import Services
from remediation.batch_deciding import BatchDecisions
from remediation.batch_rollbacks import BatchRollback, BatchRollbacks
from remediation.ports import Request
from remediation.states import PlaybookStatus

Decide = Callable[[Services, Request, BatchRef], Message | None]
_TOLD = 8


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
    except (RefusedError, StateError):
        services.dispatcher.submit("batch", ref.batch_id)
        raise


def _approve(services: Services, request: Request, ref: BatchRef) -> None:
    decided = _decisions(services).approve(ref.batch_id, request.actor, set_seen=ref.set_seen)
    for execution in decided:
        if execution.status is PlaybookStatus.APPROVED:
            services.dispatcher.submit("run", execution.execution_id)


def _reject(services: Services, request: Request, ref: BatchRef) -> None:
    _decisions(services).reject(
        ref.batch_id, request.actor, set_seen=ref.set_seen, reason=said(request, "reason")
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
    )


def _roll_back(services: Services, request: Request, ref: BatchRef) -> Message | None:
    said = _rollbacks(services).ask(ref.batch_id, request.actor, set_seen=ref.set_seen)
    return _say_refused(services, ref, said) if said.refused else None


def _say_refused(services: Services, ref: BatchRef, said: BatchRollback) -> Message:
    """Name what was not put back, and why."""
    items = {each.execution_id: each for each in services.batches.members(ref.batch_id).executions}
    lines = [
        f"• {code(items[name].finding.handle, 40)} {code(items[name].finding.resource or ' ', 200)}: {escape(why, 300)}"
        for name, why in list(said.refused.items())[:_TOLD]
    ]
    more = [f"… and {len(said.refused) - _TOLD} more"] if len(said.refused) > _TOLD else []
    lead = f"{len(said.done)} went back. {len(said.refused)} stay as they are:"
    return Message("\n".join([lead, *lines, *more]))


def _refuse_rollback(services: Services, request: Request, ref: BatchRef) -> None:
    _rollbacks(services).refuse(ref.batch_id, request.actor, set_seen=ref.set_seen)


def _decisions(services: Services) -> BatchDecisions:
    return BatchDecisions(services.remediation, services.batches)


def _rollbacks(services: Services) -> BatchRollbacks:
    return BatchRollbacks(services.remediation, services.runner, services.batches)


BATCH_DECISIONS: Mapping[str, Decide] = MappingProxyType(
    {
        BATCH_APPROVE: _approve,
        BATCH_APPROVE_FORM: _approve,
        BATCH_CHOOSE_FORM: _take_out,
        BATCH_REJECT_FORM: _reject,
        BATCH_ROLL_BACK: _roll_back,
        BATCH_REFUSE_ROLLBACK: _refuse_rollback,
    }
)
