"""Deciding about a batch: one word on exactly the set that was seen, or on nothing.

Every gate of a single decision holds for every item. All of them are stored in one transaction together with the entry that names the
set's digest; where one may not be decided by this person, or not now, none is.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from audit.actor import Actor
from audit.errors import InputError, RefusedError, StateError
from audit.finding_fields import clean
from audit.trail import TrailEvent
from remediation.batches import Batches, Members, set_digest
from remediation.batching import refuse_crowd
from remediation.desk import RACES, Move
from remediation.excepted import FindingException
from remediation.excepting import ExceptionWish
from remediation.execution import PlaybookExecution
from remediation.read_once import ReadOnce
from remediation.service import Remediation
from remediation.states import PlaybookStatus

Executions = Sequence[PlaybookExecution]
Judge = Callable[[Remediation, PlaybookExecution], Move]
_CHANGED: Final = (
    "This batch changed since you looked at it, so nothing was decided. Its card shows how it is now."
)


@dataclass(frozen=True, slots=True)
class BatchDecisions:
    """Takes decisions about batches in."""

    remediation: Remediation
    batches: Batches

    def approve(
        self, batch_id: str, actor: Actor, *, set_seen: str, reason: str = ""
    ) -> list[PlaybookExecution]:
        """Sign every waiting item; those with enough signatures are `APPROVED`.

        Args:
            batch_id: which batch.
            actor: who signs.
            set_seen: the `set_digest` of the items that they saw.
            reason: what they want on record with it.

        Raises:
            NotFoundError: there is no such batch.
            RefusedError: the set is another one by now, or this person may not sign one of them, or not now; nothing was
                decided.
        """

        def judge(remediation: Remediation, execution: PlaybookExecution) -> Move:
            return remediation.approval(execution, actor, revision=None, reason=clean(reason.strip()))

        return self._decide(batch_id, set_seen, judge, "approved", chosen=None)

    def reject(  # noqa: PLR0913 - all are named at each call
        self,
        batch_id: str,
        actor: Actor,
        *,
        set_seen: str,
        reason: str,
        only: Collection[str] | None = None,
        wish: ExceptionWish | None = None,
    ) -> list[PlaybookExecution]:
        """Say no to every waiting item, or to those that `only` names: they are taken out, and the others wait on.

        With a `wish` the finding of each is left as it is for a while; see `Decisions.reject`. All of that is stored together, or nothing.

        Raises:
            NotFoundError: there is no such batch.
            InputError: no reason was given, nothing was chosen, or the exception would be over already or last too long.
            RefusedError: the set is another one by now, or this person may not; nothing was decided.
        """
        if not reason.strip():
            raise InputError("a rejection needs a reason")

        def judge(remediation: Remediation, execution: PlaybookExecution) -> Move:
            may_withdraw = wish is None
            return remediation.rejection(
                execution, actor, revision=None, reason=clean(reason.strip()), may_withdraw=may_withdraw
            )

        return self._decide(batch_id, set_seen, judge, "rejected", chosen=only, wish=wish)

    def _decide(  # noqa: PLR0913 - private, and all are named where it matters
        self,
        batch_id: str,
        set_seen: str,
        judge: Judge,
        verb: str,
        *,
        chosen: Collection[str] | None,
        wish: ExceptionWish | None = None,
    ) -> list[PlaybookExecution]:
        for _ in range(RACES):
            try:
                members = self.batches.members(batch_id)
                refuse_other_set(members, set_seen)
                concerned = [
                    each for each in members.waiting if chosen is None or each.execution_id in chosen
                ]
                return self._decide_once(members, concerned, judge, verb, wish)
            except StateError:  # somebody was faster with one of them: look again
                continue
        raise RefusedError("Many people are deciding on this at once. Look at the card and try again.")

    def _decide_once(
        self,
        members: Members,
        concerned: Executions,
        judge: Judge,
        verb: str,
        wish: ExceptionWish | None,
    ) -> list[PlaybookExecution]:
        if not concerned:
            raise InputError("Nothing was chosen, so nothing was decided.")
        if verb == "approved":
            self._refuse_crowd(concerned)
        once = read_once(self.remediation, concerned)
        moves = [_judge(judge, once, execution) for execution in concerned]
        exceptions = [_grant(once, move, wish) for move in moves] if wish else []
        return self._store(members.batch.batch_id, moves, _kind(verb, moves), exceptions)

    def _refuse_crowd(self, executions: Executions) -> None:
        """Count once more: the limit may have been lowered since this was asked for."""
        most = min(int(str(each.playbook.get("max_targets", 0))) for each in executions)
        refuse_crowd(self.remediation.policy, executions, most=most)

    def _store(
        self, batch_id: str, moves: Sequence[Move], kind: str, exceptions: Sequence[FindingException]
    ) -> list[PlaybookExecution]:
        """Store all moves with their entries, the exceptions that they grant, and one entry that names the set."""
        remediation, decided = self.remediation, set_digest(batch_id, (move.before for move in moves))
        bound = {"set_digest": decided}
        entries = [remediation.change(m.kind, m.actor, m.after, **m.detail, **bound) for m in moves]
        granted: list[TrailEvent] = []
        if exceptions:
            pairs = [
                remediation.granting(m, each, **bound) for m, each in zip(moves, exceptions, strict=True)
            ]
            entries, granted = [rejected for rejected, _ in pairs], [each for _, each in pairs]
        named = [[m.before.execution_id, m.before.plan.digest if m.before.plan else ""] for m in moves]
        detail: dict[str, object] = {**moves[0].detail, **bound, "executions": named}
        whole = TrailEvent(
            kind=kind, actor=moves[0].actor, at=remediation.clock(), subject=batch_id, detail=detail
        )
        savings = [(move.before, move.after) for move in moves]
        stored = self.batches.save_all(savings, [*entries, *granted, whole], exceptions=exceptions)
        for execution in stored:
            remediation.notifier.changed(execution.execution_id)
        return stored


def refuse_other_set(members: Members, set_seen: str) -> None:
    """Refuse a decision on a set that is not the one which waits now.

    Raises:
        RefusedError: says so.
    """
    if not members.waiting:
        raise RefusedError("Too late: nothing of this batch waits for a decision any more.")
    if set_digest(members.batch.batch_id, members.waiting) != set_seen:
        raise RefusedError(_CHANGED)


def read_once(remediation: Remediation, executions: Executions) -> Remediation:
    """Return the same use cases on a directory that is read once, afresh, for all these executions."""
    groups = [remediation.policy.terms_of(each).approver_groups for each in executions]
    return replace(remediation, directory=ReadOnce(remediation.directory, frozenset().union(*groups)))


def _judge(judge: Judge, remediation: Remediation, execution: PlaybookExecution) -> Move:
    """Return what a decision makes of one item.

    Raises:
        RefusedError: names the item and says why.
    """
    try:
        return judge(remediation, execution)
    except RefusedError as error:
        raise RefusedError(f"{error} This is about {name_of(execution)}; nothing was decided.") from error


def _grant(remediation: Remediation, rejection: Move, wish: ExceptionWish) -> FindingException:
    """Return the exception for one item.

    Raises:
        InputError: no exception may last like that.
        RefusedError: names the item and says why.
    """
    try:
        return remediation.exception(rejection, wish)
    except RefusedError as error:
        raise RefusedError(
            f"{error} This is about {name_of(rejection.before)}; nothing was decided."
        ) from error


def name_of(execution: PlaybookExecution) -> str:
    """Return an item's finding and resource, for the person who is told about it."""
    return f"{execution.finding.handle} ({execution.finding.resource or 'no resource named'})"


def _kind(verb: str, moves: Sequence[Move]) -> str:
    is_signed_only = verb == "approved" and any(
        move.after.status is not PlaybookStatus.APPROVED for move in moves
    )
    return "batch.signed" if is_signed_only else f"batch.{verb}"
