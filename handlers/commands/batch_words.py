"""`/playbook status | approve | reject | rollback` with the id of a batch: the same words, about all of its items.

Nothing is signed and nothing is put back by a typed word alone, as for a single fix: the buttons are bound to the set that is shown.
"""

from audit.errors import RefusedError
from handlers.batch_returns import make_batch_rollbacks
from handlers.batch_rules import rules_for
from handlers.blocks.batch_private import (
    build_batch_rejected,
    build_batch_status,
    build_batch_to_roll_back,
    build_batch_to_sign,
)
from handlers.blocks.parts import Message
from handlers.services import Services
from remediation.batch_deciding import BatchDecisions
from remediation.batches import Members, set_digest
from remediation.ports import Request
from remediation.refusals import refuse_late


def show_batch_status(services: Services, members: Members) -> Message:
    """Show where a batch stands, item by item."""
    return build_batch_status(members, rules_for(services, members))


def offer_batch_to_sign(services: Services, members: Members) -> Message:
    """Show all that waits of a batch, and a button that signs exactly that. Signs nothing.

    Raises:
        RefusedError: nothing of it waits, or an item is out of time.
    """
    if not members.waiting:
        raise RefusedError("Too late: nothing of this batch waits for a decision any more.")
    for execution in members.waiting:
        refuse_late(execution, revision=None, now=services.clock())
    return build_batch_to_sign(members, rules_for(services, members))


def reject_batch(services: Services, request: Request, members: Members, *, reason: str) -> Message:
    """Reject all that waits of a batch, as it was read just now.

    Raises:
        RefusedError: nothing of it waits, or this person may not; nothing was decided.
    """
    seen = set_digest(members.batch.batch_id, members.waiting)
    decisions = BatchDecisions(services.remediation, services.batches)
    rejected = decisions.reject(members.batch.batch_id, request.actor, set_seen=seen, reason=reason)
    return build_batch_rejected(members, len(rejected))


def offer_batch_rollback(services: Services, members: Members) -> Message:
    """Show what a rollback of all would put back, read now, and a button that orders or signs it. Puts nothing back.

    Raises:
        RefusedError: there is nothing to put back, or not now.
    """
    preview = make_batch_rollbacks(services).preview(members)
    return build_batch_to_roll_back(members, rules_for(services, members), preview)
