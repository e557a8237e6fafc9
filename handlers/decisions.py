"""Approve, reject, roll back, settle: a click becomes a decision, or a private no that says why."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from audit.errors import InputError, RefusedError, StateError
from handlers.batch_decisions import BATCH_DECISIONS, answer_batch_decision
from handlers.blocks.names import (
    APPROVE,
    APPROVE_FORM,
    APPROVE_HERE,
    DONE,
    GLASS_FORM,
    NOT_DONE,
    REFUSE_ROLLBACK,
    REJECT_FORM,
    REVIEWED,
    ROLL_BACK,
    ROLL_BACK_FORM,
    ROLL_BACK_HERE,
    TRY_AGAIN,
    CardRef,
)
from handlers.blocks.parts import Message
from handlers.blocks.private import build_rollback_ordered, build_signed
from handlers.lateness import refuse_old
from handlers.requests import said
from handlers.services import Services
from handlers.wishes import read_wish
from remediation.ports import Request
from remediation.rollbacks import Rollbacks
from remediation.settling import Settling
from remediation.states import PlaybookStatus

Decide = Callable[[Services, Request, CardRef], Message | None]


def answer_decision(services: Services, request: Request) -> Message | None:
    """Do what a click or a form says. Its answer is the card itself; only who clicked elsewhere is told.

    Raises:
        CountersignError: it was refused; the card is brought up to date all the same.
    """
    name = said(request, "action_id") or said(request, "callback_id")
    if name in BATCH_DECISIONS:
        return answer_batch_decision(services, request, name)
    if name not in _DECIDE:
        raise InputError("This button is from another version. Nothing was done.")
    ref = CardRef.parse(said(request, "value"))
    structlog.contextvars.bind_contextvars(execution_id=ref.execution_id)
    try:
        refuse_old(request, now=services.clock())
        return _DECIDE[name](services, request, ref)
    except (RefusedError, StateError):
        services.dispatcher.submit("draw", ref.execution_id)
        raise


def _approve(services: Services, request: Request, ref: CardRef) -> None:
    execution = services.remediation.approve(ref.execution_id, request.actor, revision=ref.revision)
    if execution.status is PlaybookStatus.APPROVED:
        services.dispatcher.submit("run", execution.execution_id)


def _approve_here(services: Services, request: Request, ref: CardRef) -> Message:
    _approve(services, request, ref)
    return build_signed(services.executions.get(ref.execution_id))


def _reject(services: Services, request: Request, ref: CardRef) -> None:
    services.remediation.reject(
        ref.execution_id,
        request.actor,
        reason=said(request, "reason"),
        revision=ref.revision,
        wish=read_wish(request),
    )


def _roll_back(services: Services, request: Request, ref: CardRef) -> None:
    _rollbacks(services).ask(ref.execution_id, request.actor, revision=ref.revision, shown=ref.rollback)


def _refuse_rollback(services: Services, request: Request, ref: CardRef) -> None:
    _rollbacks(services).refuse(ref.execution_id, request.actor, shown=ref.rollback)


def _rollbacks(services: Services) -> Rollbacks:
    return Rollbacks(services.remediation, services.runner)


def _break_glass(services: Services, request: Request, ref: CardRef) -> None:
    execution = services.remediation.break_glass(
        ref.execution_id, request.actor, reason=said(request, "reason"), revision=ref.revision
    )
    services.dispatcher.submit("run", execution.execution_id)


def _review(services: Services, request: Request, ref: CardRef) -> None:
    services.remediation.review(ref.execution_id, request.actor)


def _roll_back_here(services: Services, request: Request, ref: CardRef) -> Message:
    _roll_back(services, request, ref)
    return build_rollback_ordered(services.executions.get(ref.execution_id))


def _settling(services: Services) -> Settling:
    return Settling(services.remediation, services.runner.journal)


def _found_done(services: Services, request: Request, ref: CardRef) -> None:
    _settling(services).say_done(ref.execution_id, request.actor, revision=ref.revision)


def _found_not_done(services: Services, request: Request, ref: CardRef) -> None:
    _settling(services).say_not_done(ref.execution_id, request.actor, revision=ref.revision)


def _try_again(services: Services, request: Request, ref: CardRef) -> None:
    execution, person = _settling(services).allow(ref.execution_id, request.actor, revision=ref.revision)
    services.runner.try_again(execution.execution_id, person)


_DECIDE: Mapping[str, Decide] = MappingProxyType(
    {
        APPROVE: _approve,
        APPROVE_FORM: _approve,
        APPROVE_HERE: _approve_here,
        REJECT_FORM: _reject,
        ROLL_BACK: _roll_back,
        ROLL_BACK_FORM: _roll_back,
        ROLL_BACK_HERE: _roll_back_here,
        REFUSE_ROLLBACK: _refuse_rollback,
        GLASS_FORM: _break_glass,
        REVIEWED: _review,
        DONE: _found_done,
        NOT_DONE: _found_not_done,
        TRY_AGAIN: _try_again,
    }
)
