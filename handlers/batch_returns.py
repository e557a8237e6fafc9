"""The rollback of a batch: what came of it in words, and going on with one that a process left in the middle."""

from collections.abc import Mapping, Sequence

from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape
from handlers.posting import tell
from handlers.services import Services
from remediation.batch_rollbacks import BatchRollback, BatchRollbacks
from remediation.execution import PlaybookExecution

_TOLD = 8


def make_batch_rollbacks(services: Services) -> BatchRollbacks:
    """Return the use cases."""
    return BatchRollbacks(services.remediation, services.runner, services.batches, services.returns)


def go_on_with_return(services: Services, batch_id: str) -> None:
    """Go on with a rollback of a batch that was ordered, if nobody works on it; whoever ordered it hears what stays.

    Raises:
        TrailError: the trail cannot be written.
    """
    order = services.returns.get(batch_id)
    came = make_batch_rollbacks(services).go_on(batch_id)
    if order is None or came is None:
        return
    services.dispatcher.submit("batch", batch_id)
    if said := describe_return(services, batch_id, came):
        name = escape(services.batches.get(batch_id).playbook_name, 200)
        head = f"The rollback of {name} ({code(batch_id, 80)}) that you ordered was interrupted, and went on by itself."
        tell(services.client, order.actor, f"{head}\n{said.text}")


def describe_return(services: Services, batch_id: str, came: BatchRollback) -> Message | None:
    """Return what stays as it is, or failed, and why; None where all of it went back or waits: the card says so."""
    if not (came.refused or came.broken):
        return None
    items = services.batches.members(batch_id).executions
    waiting = sum(1 for each in items if each.execution_id in came.done and each.rollback)
    back = f"{len(came.done) - waiting} went back." + (
        f" {waiting} wait for another signature." if waiting else ""
    )
    parts = [back]
    if came.refused:
        parts += [f"{len(came.refused)} stay as they are:", *list_items(items, came.refused)]
    if came.broken:
        parts += [f"{len(came.broken)} failed on the way; the card shows where each stands:"]
        parts += list_items(items, came.broken)
    return Message("\n".join(parts))


def list_items(items: Sequence[PlaybookExecution], about: Mapping[str, str]) -> list[str]:
    """Return a line for each of some items, with what is to be said about it."""
    lines = [
        f"• {code(each.finding.handle, 40)} {code(each.finding.resource or ' ', 200)}: {escape(about[each.execution_id], 300)}"
        for each in items
        if each.execution_id in about
    ]
    more = [f"… and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
    return [*lines[:_TOLD], *more]
