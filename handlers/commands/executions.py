"""`/playbook pending | history | status | approve | reject | rollback`: executions, and batches of them, by typed words.

Nothing is signed and nothing is put back by a typed word alone: `approve` and `rollback` answer with what it would be, and a
button that is bound to the revision shown (docs/adr/0006).
"""

from collections.abc import Sequence

from audit.errors import InputError
from handlers.blocks.executions import Pending, build_history, build_pending, build_rollbacks
from handlers.blocks.modals import refuse_reason
from handlers.blocks.parts import Message
from handlers.blocks.private import build_rejected, build_status, build_to_roll_back, build_to_sign
from handlers.commands.batch_words import (
    offer_batch_rollback,
    offer_batch_to_sign,
    reject_batch,
    show_batch_status,
)
from handlers.services import Services
from handlers.waiting import read_waiting
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.lookup import find_history, find_named
from remediation.ports import Request
from remediation.refusals import refuse_late
from remediation.rollbacks import Rollbacks

_MOST = 10


def _named(services: Services, name: str) -> PlaybookExecution | Members:
    return find_named(name, finder=services.finder, batches=services.batches)


def list_pending(services: Services, _request: Request, _words: Sequence[str]) -> Message:
    """Show what waits for a decision."""
    found = read_waiting(services, most=_MOST)
    pending = Pending(
        executions=found.fixes,
        batches=found.batches,
        total=services.finder.count_pending(),
        is_cut=found.is_cut,
        rollbacks=services.finder.rollbacks(limit=_MOST + 1),
    )
    return build_pending(
        pending, most=_MOST, rollback_approvals=services.remediation.policy.rollback_approvals
    )


def list_history(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show what was asked for: everything, or what a playbook or a finding is named in.

    Raises:
        NotFoundError: neither a playbook nor a finding nor anything that was asked for goes by that name.
    """
    if not words:
        return build_history(services.executions.history(limit=_MOST + 1), most=_MOST)
    found = find_history(
        words[0],
        executions=services.executions,
        reports=services.reports,
        batches=services.batches,
        playbooks=services.playbooks,
        limit=_MOST + 1,
    )
    return build_history(found, most=_MOST, about=words[0])


def show_status(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show where an execution stands, step by step, or a batch, item by item.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    execution = _named(services, words[0])
    if isinstance(execution, Members):
        return show_batch_status(services, execution)
    return build_status(execution, services.card_rules_for(execution))


def offer_to_sign(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show the plan and a button that signs it. Signs nothing.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
        RefusedError: it is decided, or out of time.
    """
    execution = _named(services, words[0])
    if isinstance(execution, Members):
        return offer_batch_to_sign(services, execution)
    refuse_late(execution, revision=None, now=services.clock())
    return build_to_sign(execution, services.card_rules_for(execution))


def reject(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Reject, with the reason that follows the id. Changes nothing in a cloud, so it needs no second look.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
        InputError: the reason is too short or too long.
        RefusedError: this person may not, or it is too late.
    """
    reason = " ".join(words[1:]).strip()
    if problem := refuse_reason(reason):
        raise InputError(problem)
    execution = _named(services, words[0])
    if isinstance(execution, Members):
        return reject_batch(services, request, execution, reason=reason)
    rejected = services.remediation.reject(
        execution.execution_id, request.actor, reason=reason, revision=execution.revision
    )
    return build_rejected(rejected)


def offer_rollback(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show what a rollback would put back, read now, and a button that orders or signs it. Puts nothing back.

    Without a name it lists the rollbacks that wait for signatures.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
        RefusedError: there is nothing to put back, or somebody changed the resource since: shows the three states.
        ActionError: the resource cannot be read.
    """
    if not words:
        return build_rollbacks(
            services.finder.rollbacks(limit=_MOST + 1),
            most=_MOST,
            needed=services.remediation.policy.rollback_approvals,
        )
    execution = _named(services, words[0])
    if isinstance(execution, Members):
        return offer_batch_rollback(services, execution)
    settings = Rollbacks(services.remediation, services.runner).preview(execution.execution_id)
    return build_to_roll_back(execution, services.card_rules_for(execution), settings)
