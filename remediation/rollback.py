"""Putting back what an execution wrote, last action first, and nothing that anybody else did."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from audit.actor import Actor
from audit.canonical import digest
from audit.errors import RefusedError
from remediation.actions.registry import Step
from remediation.attempt import put_back, refuse_overwriting
from remediation.execution import ActionResult, Decision, PlaybookExecution, Restored, Verdict
from remediation.journal import KINDS, Journal, plans_of
from remediation.plan import ActionPlan, State
from remediation.policy import Policy, count_people
from remediation.ports import ExecutionStore
from remediation.protection import Protection
from remediation.states import ActionStatus, PlaybookStatus

_SIGNS = {Verdict.ASK_ROLLBACK, Verdict.SIGN_ROLLBACK}
Written = tuple[int, Step, ActionPlan]


def roll_back(
    journal: Journal,
    execution: PlaybookExecution,
    steps: Sequence[Step],
    *,
    actor: Actor,
    why: str | None = None,
) -> PlaybookExecution:
    """Put it back; see `Runner.roll_back`.

    `why` says why the run failed that is put back because its playbook says so, and stays with the execution. Then only states before
    and planned are written over: what a write left otherwise is for a person to judge.
    """
    written = [
        (position, steps[position], plan)
        for position, plan in enumerate(plans_of(execution))
        if execution.actions[position].before is not None
    ]
    refuse_undoing_later(journal.store, execution)
    by_hand = why is None
    settings = draw_rollback(execution, steps, by_hand=by_hand)
    execution = _start(journal, execution, actor, settings, why=why)
    for entry in reversed(written):
        execution = _undo(journal, execution, entry, by_hand=by_hand)
        if execution.actions[entry[0]].status is ActionStatus.ROLLBACK_FAILED:
            error = execution.actions[entry[0]].error
            return journal.end(execution, PlaybookStatus.ROLLBACK_FAILED, error=error)
    told = None if by_hand else f"{why} What had been done was put back."
    return journal.end(execution, PlaybookStatus.ROLLED_BACK, error=told)


def refuse_protected(protection: Protection, execution: PlaybookExecution) -> None:
    """Refuse to write to what the configuration protects by now, by the scanner's name or by ours. The calendar holds up no rollback.

    Raises:
        RefusedError: with the rule that says so.
    """
    protection.refuse_resource(execution.finding.resource)
    for plan, result in zip(plans_of(execution), execution.actions, strict=True):
        if result.before is not None:
            protection.refuse_target(plan.target)


def refuse_undoing_later(store: ExecutionStore, execution: PlaybookExecution) -> None:
    """Refuse where a later execution wrote to the same resource: its approval is not ours to undo.

    Which one is later, their numbers say and no clock; one that is not known to be earlier counts as later.

    Raises:
        RefusedError: names it.
    """
    for other in store.touching(*execution.resource_names, limit=None):
        is_earlier = 0 < other.run_number < execution.run_number
        wrote = any(result.before is not None for result in other.actions)
        is_there = wrote and other.status is not PlaybookStatus.ROLLED_BACK
        if other.execution_id != execution.execution_id and is_there and not is_earlier:
            raise RefusedError(
                f"A later fix, {other.execution_id}, wrote to {execution.finding.resource}: roll that one back first."
            )


def draw_rollback(
    execution: PlaybookExecution, steps: Sequence[Step], *, by_hand: bool = True
) -> tuple[Restored, ...]:
    """Read the resource and return every setting that a rollback puts back, in its three states.

    What a write of ours left otherwise than planned may be written over `by_hand` only.

    Raises:
        RefusedError: somebody has changed the resource since; shows the three states.
        ActionError: the resource cannot be read.
    """
    settings: list[Restored] = []
    for plan, step, result in zip(plans_of(execution), steps, execution.actions, strict=True):
        if result.before is None:
            continue
        now = step.action.observe(plan)
        refuse_overwriting(now, plan, _left(result, by_hand=by_hand))
        settings += [
            Restored(
                resource=plan.target.resource,
                setting=change.setting,
                was=change.before,
                we_set=change.after,
                now=now.get(change.setting),
            )
            for change in plan.changes()
        ]
    return tuple(settings)


def _left(result: ActionResult, *, by_hand: bool) -> State | None:
    """Return what a write of ours left otherwise than planned, where a rollback may write over it."""
    return result.observed if by_hand and result.status is not ActionStatus.ROLLED_BACK else None


def rollback_digest(
    policy: Policy, execution: PlaybookExecution, settings: Sequence[Restored], *, asked_version: int
) -> str:
    """Return what a signature on a rollback covers: this request and no other, under these rules, from this state."""
    return digest(
        {
            "execution_id": execution.execution_id,
            "asked_version": asked_version,
            "policy_digest": policy.digest,
            "settings": [asdict(each) for each in settings],
        }
    )


def rollback_signatures(execution: PlaybookExecution) -> list[Decision]:
    """Return who has signed the rollback that waits, each by name; a program that asks in nobody's name signs nothing."""
    asked = execution.rollback
    if asked is None:
        return []
    return [
        decision
        for decision in execution.decisions
        if decision.verdict in _SIGNS and decision.plan_digest == asked.digest and decision.actor.is_resolved
    ]


def rollback_signers(execution: PlaybookExecution) -> int:
    """Return how many people have signed the rollback that waits."""
    return count_people(decision.actor for decision in rollback_signatures(execution))


def refuse_signing_again(execution: PlaybookExecution, person: Actor) -> None:
    """Refuse somebody who has signed the rollback that waits, or who cannot be told from somebody who has.

    Raises:
        RefusedError: with the reason.
    """
    signers = [decision.actor for decision in rollback_signatures(execution)]
    if any(person.is_same_person(signer) or not person.is_comparable(signer) for signer in signers):
        raise RefusedError("You have signed this rollback; somebody else has to be the next.")


def refuse_unsigned_rollback(
    policy: Policy, execution: PlaybookExecution, steps: Sequence[Step], *, now: datetime
) -> None:
    """Refuse a rollback that fewer people have signed than the rules ask for, or that they signed on another state.

    Raises:
        RefusedError: with the reason.
        ActionError: the resource cannot be read.
    """
    if policy.rollback_approvals <= 1:
        return
    asked = execution.rollback
    if asked is None or now >= asked.expires_at:
        raise RefusedError("This rollback needs another person's signature first. Ask for it on the card.")
    settings = draw_rollback(execution, steps)
    if rollback_digest(policy, execution, settings, asked_version=asked.asked_version) != asked.digest:
        raise RefusedError("The resource or the rules changed since this rollback was asked for.")
    if rollback_signers(execution) < policy.rollback_approvals:
        raise RefusedError("This rollback needs another person's signature first.")


def _start(
    journal: Journal,
    execution: PlaybookExecution,
    actor: Actor,
    settings: Sequence[Restored],
    *,
    why: str | None,
) -> PlaybookExecution:
    """Store that it begins, and with it the three states of every setting, as they were read right before."""
    rolling = execution.decided(Verdict.ROLL_BACK, actor, journal.clock()).moved(
        PlaybookStatus.ROLLING_BACK, owner=journal.owner, error=None, rollback=None
    )
    detail: dict[str, object] = {"settings": [asdict(each) for each in settings]}
    if why is not None:
        detail["error"] = why
    return journal.save(execution, rolling, "rollback.started", detail, actor=actor)


def _undo(
    journal: Journal, execution: PlaybookExecution, entry: Written, *, by_hand: bool
) -> PlaybookExecution:
    """Put one action back, between two commits."""
    position, step, plan = entry
    done = execution.actions[position]
    intent = replace(done, status=ActionStatus.ROLLING_BACK, message="Putting back", error=None)
    execution = journal.record(execution, position, intent, "rollback.action.started", after=dict(plan.after))
    result = put_back(step, plan, left=_left(done, by_hand=by_hand))
    undone = result.status is ActionStatus.COMPLETED
    final = replace(
        intent,
        status=ActionStatus.ROLLED_BACK if undone else ActionStatus.ROLLBACK_FAILED,
        message="Put back and verified" if undone else result.message,
        error=result.error,
        # Where nothing of ours was written for certain, what an earlier write left still is all that is known to be ours.
        observed=done.observed if result.observed is None else result.observed,
        request_ids=result.request_ids,
        ended_at=journal.clock(),
    )
    return journal.record(execution, position, final, KINDS[final.status])
