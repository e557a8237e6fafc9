"""What becomes of one item where a batch is put back: under the rules of a single rollback, and told apart from all others."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from audit.actor import Actor
from audit.errors import ActionError, CountersignError, RefusedError, StateError
from remediation.batches import ReturnItem, ReturnOrder
from remediation.execution import PlaybookExecution, Restored
from remediation.policy import Policy
from remediation.recovery import HALF_BACK
from remediation.resuming import MOST_TAKEOVERS
from remediation.rollback import rollback_signatures, rollback_signers
from remediation.rollbacks import Rollbacks
from remediation.states import PlaybookStatus

_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one item: why it stays, empty where it went back; `is_known` is False where it failed on the way."""

    execution_id: str
    why: str = ""
    is_known: bool = True


def preview_one(rollbacks: Rollbacks, execution: PlaybookExecution) -> tuple[Restored, ...] | str:
    """Return what would go back, or why it stays."""
    try:
        return rollbacks.preview(execution.execution_id)
    except CountersignError as error:
        return error.explain()


def do_all(do: Callable[[ReturnItem], Said], items: Sequence[ReturnItem]) -> list[Said]:
    """Do one thing for each item, several at a time."""
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="rollback") as pool:
        return list(pool.map(do, items))


def ask_one(rollbacks: Rollbacks, actor: Actor, item: ReturnItem) -> Said:
    """Put one item back; return why not where it was refused. Whatever goes wrong with one is no other's business."""
    name = item.execution_id
    try:
        after = rollbacks.ask(name, actor, revision=item.revision, shown=item.shown)
    except (RefusedError, StateError, ActionError) as error:
        return Said(name, error.explain())
    except CountersignError as error:
        what, _, _ = error.explain().partition(
            ";"
        )  # what follows says that nothing was changed, as is true of single steps
        return Said(name, what, is_known=False)
    if after.status is PlaybookStatus.ROLLBACK_FAILED:
        return Said(name, after.error or "its rollback failed", is_known=False)
    return Said(name)


def go_on_one(rollbacks: Rollbacks, order: ReturnOrder, item: ReturnItem, *, now: datetime) -> Said:
    """Do for one item what is left of an order: nothing where it is back, or signed, and where its rollback failed nothing again."""
    execution, policy = rollbacks.remediation.store.get(item.execution_id), rollbacks.remediation.policy
    if execution.status is PlaybookStatus.ROLLED_BACK or _is_only_signed(policy, execution, order.actor):
        return Said(item.execution_id)
    if execution.status is PlaybookStatus.ROLLBACK_FAILED and execution.error != HALF_BACK:
        return Said(item.execution_id, execution.error or "its rollback failed", is_known=False)
    if order.takeovers > MOST_TAKEOVERS:
        return Said(item.execution_id, f"the rollback was interrupted {order.takeovers} times")
    if now >= order.ordered_at + policy.terms_of(execution).expires_after:
        return Said(item.execution_id, "the rollback was interrupted, and the time of that order is over")
    return ask_one(rollbacks, order.actor, item)


def _is_only_signed(policy: Policy, execution: PlaybookExecution, actor: Actor) -> bool:
    """Tell whether this person's signature is on a rollback that waits for others."""
    signers = [decision.actor for decision in rollback_signatures(execution)]
    is_enough = rollback_signers(execution) >= policy.rollback_approvals
    return any(each.is_same_person(actor) for each in signers) and not is_enough
