"""`/playbook pending | history | status | approve | reject | rollback`: executions, and batches of them, by typed words.

Nothing is signed and nothing is put back by a typed word alone: `approve` and `rollback` answer with what it would be, and a
button that is bound to the revision shown (docs/adr/0006).
"""

from collections.abc import Sequence
from dataclasses import replace

from audit.errors import InputError
from handlers.blocks.executions import (
    Pending,
    build_history,
    build_pending,
    build_rollbacks,
    size_of_page,
)
from handlers.blocks.modals import refuse_reason
from handlers.blocks.paging import Page, PageRef
from handlers.blocks.parts import Message
from handlers.blocks.private import build_rejected, build_status, build_to_roll_back, build_to_sign
from handlers.commands.batch_words import (
    offer_batch_rollback,
    offer_batch_to_sign,
    reject_batch,
    show_batch_status,
)
from handlers.services import Services
from handlers.waiting import Reader, find_reader, read_entries, read_rollbacks
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.lookup import find_history, find_named
from remediation.pending_query import ALL_PENDING, PendingQuery, parse_pending, spell_pending
from remediation.ports import Request
from remediation.refusals import refuse_late
from remediation.rollbacks import Rollbacks

PENDING = "pending"
HISTORY = "history"
_MOST = 10


def _named(services: Services, name: str) -> PlaybookExecution | Members:
    return find_named(name, finder=services.finder, batches=services.batches)


def list_pending(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Show what waits for a decision: everything, what the words say, what whoever asks may sign.

    Raises:
        InputError: a word is none of ours; names the nearest.
        RefusedError: Slack's directory does not say who asks.
    """
    return show_pending(services, request, PageRef(PENDING, tuple(spell_pending(parse_pending(words)))))


def show_pending(services: Services, request: Request, ref: PageRef) -> Message:
    """Show a page of what waits; with `mine` in its words, of what whoever asks may sign."""
    query, now = parse_pending(ref.words), services.clock()
    reader = find_reader(services, request.actor, now=now) if query.is_mine else None
    if query.is_mine and reader is None:
        return Message("Nothing waits that you may sign.")
    query = replace(query, signer=reader.signer if reader else None)
    rollbacks = [] if ref.offset else _rollbacks(services, query, reader)
    counted = services.finder.count_entries(query)
    page = Page.read(
        ref,
        lambda limit, offset: read_entries(services, query, limit=limit, offset=offset),
        size=size_of_page(rollbacks),
    )
    return build_pending(
        Pending(page=page, fixes=counted.fixes, entries=counted.entries, rollbacks=rollbacks),
        rollback_approvals=services.remediation.policy.rollback_approvals,
    )


def _rollbacks(services: Services, query: PendingQuery, reader: Reader | None) -> Sequence[PlaybookExecution]:
    """Return the rollbacks that wait, of those that one may sign; none below a search for fixes of a kind."""
    if replace(query, is_mine=False, signer=None) != ALL_PENDING:
        return ()
    if reader is None:
        return services.finder.rollbacks(limit=_MOST + 1)
    return read_rollbacks(services, reader, most=_MOST + 1, now=services.clock())


def list_history(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Show what was asked for: everything, or what a playbook or a finding is named in.

    Raises:
        NotFoundError: neither a playbook nor a finding nor anything that was asked for goes by that name.
    """
    return show_history(services, request, PageRef(HISTORY, tuple(words)))


def show_history(services: Services, _request: Request, ref: PageRef) -> Message:
    """Show a page of what was asked for; see `list_history`."""

    def read(limit: int, offset: int) -> Sequence[PlaybookExecution]:
        if not ref.words:
            return services.executions.history(limit=limit, offset=offset)
        return find_history(
            ref.words[0],
            executions=services.executions,
            reports=services.reports,
            batches=services.batches,
            playbooks=services.playbooks,
            limit=limit,
            offset=offset,
        )

    return build_history(Page.read(ref, read, size=_MOST))


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
