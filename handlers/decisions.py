"""Approve, reject, roll back, settle: a click becomes a decision, or a private no that says why."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from audit.errors import InputError, RefusedError, StateError
from handlers.blocks.names import (
    APPROVE,
    APPROVE_FORM,
    APPROVE_HERE,
    DONE,
    NOT_DONE,
    REJECT_FORM,
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
from remediation.ports import Request
from remediation.settling import Settling
from remediation.states import PlaybookStatus

Decide = Callable[[Services, Request, CardRef], Message | None]


def answer_decision(services: Services, request: Request) -> Message | None:
    """Do what a click or a form says. Its answer is the card itself; only who clicked elsewhere is told.

    Raises:
        CountersignError: it was refused; the card is brought up to date all the same.
    """
    name = said(request, "action_id") or said(request, "callback_id")
    if name not in _DECIDE:
        raise InputError("This button is from another version. Nothing was done.")
    ref = CardRef.parse(said(request, "value"))
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
        ref.execution_id, request.actor, reason=said(request, "reason"), revision=ref.revision
    )


def _roll_back(services: Services, request: Request, ref: CardRef) -> None:
    execution, person = services.remediation.allow_rollback(ref.execution_id, request.actor)
    if execution.revision != ref.revision:
        raise RefusedError("This card is out of date. A newer card shows what can be rolled back.")
    services.runner.roll_back(execution.execution_id, person)


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
        DONE: _found_done,
        NOT_DONE: _found_not_done,
        TRY_AGAIN: _try_again,
    }
)
