"""Putting a batch back: every item under the rules of a single rollback, and an outcome for each."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from audit.actor import WORKER, Actor
from audit.errors import CountersignError, RefusedError, StateError
from audit.trail import TrailEvent
from remediation.batch_deciding import name_of, read_once
from remediation.batch_returning import Said, ask_one, do_all, go_on_one, preview_one
from remediation.batches import Batches, Members, ReturnItem, ReturnOrder, Returns, return_digest
from remediation.execution import PlaybookExecution, Restored
from remediation.recovery import require_lost
from remediation.rollbacks import Rollbacks
from remediation.runner import Runner
from remediation.service import Remediation
from remediation.states import PlaybookStatus

_AT_A_TIME = 8
_TOLD = 5
_UNDER_WAY = (
    "A rollback of this batch was ordered already, and is under way. Its card shows how each item stands."
)


@dataclass(frozen=True, slots=True)
class BatchRollback:
    """What came of asking, by execution id: which items were put back or wait for another signature, and why others stay.

    `broken` are those where it failed on the way, so that it is not known here whether they went back: their state shows it.
    """

    done: tuple[str, ...]
    refused: Mapping[str, str]
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rollback would do now, by execution id: what goes back, and why the others stay."""

    settings: Mapping[str, tuple[Restored, ...]]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BatchRollbacks:
    """Takes what people say about the rollback of a batch."""

    remediation: Remediation
    runner: Runner
    batches: Batches
    returns: Returns

    def preview(self, members: Members) -> Preview:
        """Read every resource and return what a rollback of the batch would put back now. Changes nothing.

        Raises:
            RefusedError: nothing of it can be put back: something waits or is under way, or each item is refused.
        """
        refuse_unsettled(members)
        preview = partial(preview_one, Rollbacks(self.remediation, self.runner))
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="preview") as pool:
            seen = list(pool.map(preview, members.returnable))
        names = _ids(members)
        refused = {name: each for name, each in zip(names, seen, strict=True) if isinstance(each, str)}
        if len(refused) == len(names):
            raise RefusedError(_say_why(members, refused))
        return Preview(
            {name: each for name, each in zip(names, seen, strict=True) if not isinstance(each, str)}, refused
        )

    def ask(self, batch_id: str, actor: Actor, *, set_seen: str) -> BatchRollback:
        """Put every item back that can be, or sign its rollback where that takes more people.

        What was ordered is stored before the first item: should this process die, another one goes on (`go_on`).

        Raises:
            NotFoundError: there is no such batch.
            RefusedError: the set is another one by now, this person may not put one of them back, another rollback of the batch is
                under way, or each of them was refused; nothing was put back.
            TrailError: the trail cannot be written; nothing was put back.
        """
        members = self.batches.members(batch_id)
        refuse_other_returnables(members, set_seen)
        once = read_once(self.remediation, members.returnable)
        person, *_ = [_allow(once, actor, execution) for execution in members.returnable]
        order = ReturnOrder(
            batch_id=batch_id,
            actor=person,
            ordered_at=self.remediation.clock(),
            items=tuple(map(ReturnItem.of, members.returnable)),
            owner=self.runner.journal.owner,
        )
        with self.runner.in_hand.taking(batch_id) as is_free:
            self._order(order, set_seen, is_free=is_free)
            said = do_all(partial(ask_one, Rollbacks(once, self.runner), person), order.items)
            came = self._end(order, said, person)
        if not came.done and not came.broken:
            raise RefusedError(_say_why(members, {each.execution_id: each.why for each in said}))
        return came

    def go_on(self, batch_id: str) -> BatchRollback | None:
        """Go on with a rollback that a process left in the middle; None where there is none to go on with now.

        Only the items that were ordered, as they were shown then, and each by every rule of a rollback at this moment: whoever ordered
        it still may, and what somebody changed since stays. One that was being put back is settled first (`Runner.recover`).

        Raises:
            TrailError: the trail cannot be written; it is tried again later.
        """
        with self.runner.in_hand.taking(batch_id) as is_free:
            order = self.returns.get(batch_id)
            if order is None or not is_free or not self._is_free(order):
                return None
            try:
                order = self._take_over(order)
            except StateError:  # another process was faster, or the one that has it may be alive
                return None
            members = self.batches.members(batch_id)
            once = read_once(self.remediation, members.executions)
            do = partial(go_on_one, Rollbacks(once, self.runner), order, now=self.remediation.clock())
            return self._end(order, do_all(do, order.items), WORKER)

    def _order(self, order: ReturnOrder, set_seen: str, *, is_free: bool) -> None:
        names = [each.execution_id for each in order.items]
        asked = {"set_digest": set_seen, "executions": names}
        try:
            if not is_free:
                raise RefusedError(_UNDER_WAY)
            self.returns.put(order, self._event("batch.rollback", order, order.actor, asked))
        except StateError as error:
            raise RefusedError(_UNDER_WAY) from error

    def _is_free(self, order: ReturnOrder) -> bool:
        """Tell whether nobody works on an order or on an item of it."""
        owner, now = self.runner.journal.owner, self.remediation.clock()
        if order.batch_id not in self.returns.left(owner, now):
            return False
        found = [self.remediation.store.get(each.execution_id) for each in order.items]
        return not any(each.status is PlaybookStatus.ROLLING_BACK for each in found)

    def _take_over(self, order: ReturnOrder) -> ReturnOrder:
        owner = self.runner.journal.owner
        if order.owner == owner:
            return order
        event = self._event("batch.rollback_resumed", order, WORKER, {"former_owner": order.owner})
        last_heard = require_lost(self.runner.journal, order.owner)
        return self.returns.take_over(order, owner, event, last_heard=last_heard)

    def _end(self, order: ReturnOrder, said: Sequence[Said], actor: Actor) -> BatchRollback:
        """Note what came of it. Where that cannot be stored, it is told all the same, and found by `go_on`."""
        broken = {each.execution_id: each.why for each in said if not each.is_known}
        done = tuple(each.execution_id for each in said if not each.why)
        refused = {each.execution_id: each.why for each in said if each.why and each.is_known}
        with suppress(CountersignError):
            refused = self._still_there(order.batch_id, refused)
            kind = "batch.rollback_refused" if refused or broken else "batch.rollback_done"
            about = {"refused": refused, "broken": broken}
            self.returns.end(order, {**refused, **broken}, self._event(kind, order, actor, about))
        return BatchRollback(done, refused, broken)

    def refuse(self, batch_id: str, actor: Actor, *, set_seen: str) -> BatchRollback:
        """Say no to the rollback that waits for another signature, for every item. All are judged before anything is stored.

        Raises:
            NotFoundError: there is no such batch.
            RefusedError: nothing waits, the set is another one by now, or this person may not refuse one of them; no rollback
                was refused.
        """
        members = self.batches.members(batch_id)
        waiting = [(each, each.rollback) for each in members.returnable if each.rollback]
        if not waiting:
            raise RefusedError("No rollback waits for a signature.")
        refuse_other_returnables(members, set_seen)
        rollbacks = Rollbacks(read_once(self.remediation, members.returnable), self.runner)
        for execution, asked in waiting:
            _allow_refusal(rollbacks, actor, execution, shown=asked.asked_version)
        done, broken = list[str](), dict[str, str]()
        for execution, asked in waiting:
            try:
                rollbacks.refuse(execution.execution_id, actor, shown=asked.asked_version)
            except (RefusedError, StateError):  # somebody signed, refused or put it back at this moment
                continue
            except CountersignError as error:
                broken[execution.execution_id] = error.explain()
            else:
                done.append(execution.execution_id)
        if not done and not broken:
            raise RefusedError("Too late: no rollback of this batch waits for a signature any more.")
        return BatchRollback(tuple(done), {}, broken)

    def _still_there(self, batch_id: str, refused: Mapping[str, str]) -> dict[str, str]:
        """Return the refusals of what nobody else has put back, or is putting back, meanwhile."""
        left = {each.execution_id for each in self.batches.members(batch_id).returnable if not each.rollback}
        return {name: why for name, why in refused.items() if name in left}

    def _event(self, kind: str, order: ReturnOrder, actor: Actor, detail: Mapping[str, object]) -> TrailEvent:
        at = self.remediation.clock()
        return TrailEvent(kind=kind, actor=actor, at=at, subject=order.batch_id, detail=detail)


def refuse_unsettled(members: Members) -> None:
    """Refuse the rollback of a batch of which something waits or is under way, as its card does.

    Raises:
        RefusedError: says what to do first.
    """
    if members.waiting or members.is_busy:
        raise RefusedError(
            "Something of this batch waits for a decision, or is under way. It goes back as a whole when that is over; "
            "`/playbook rollback` with the id of one item puts that one back."
        )
    if not members.returnable:
        raise RefusedError("There is nothing to put back in this batch.")


def refuse_other_returnables(members: Members, set_seen: str) -> None:
    """Refuse a rollback of another set than the one that can be put back now.

    Raises:
        RefusedError: says so.
    """
    if not members.returnable:
        raise RefusedError("There is nothing to put back in this batch any more.")
    if return_digest(members.batch.batch_id, members.returnable) != set_seen:
        raise RefusedError(
            "This batch changed since you looked at it, so nothing was put back. Its card shows how it is now."
        )


def _say_why(members: Members, said: Mapping[str, str]) -> str:
    """Return why nothing at all was put back, each reason once."""
    about: dict[str, list[str]] = {}
    for execution in members.returnable:
        about.setdefault(said[execution.execution_id], []).append(execution.finding.handle)
    reasons = [f"{why.rstrip('.')} ({', '.join(handles)})." for why, handles in about.items()]
    return " ".join(["Nothing was put back.", *reasons[:_TOLD]])


def _ids(members: Members) -> list[str]:
    return [each.execution_id for each in members.returnable]


def _allow(remediation: Remediation, actor: Actor, execution: PlaybookExecution) -> Actor:
    """Return who asks, where they may put an item back.

    Raises:
        RefusedError: names the item and says why.
    """
    try:
        return remediation.allow_rollback(execution.execution_id, actor)[1]
    except RefusedError as error:
        raise RefusedError(f"{error} This is about {name_of(execution)}; nothing was put back.") from error


def _allow_refusal(rollbacks: Rollbacks, actor: Actor, execution: PlaybookExecution, *, shown: int) -> None:
    """Refuse a no to all where this person may not say it to one.

    Raises:
        RefusedError: names the item and says why.
    """
    try:
        rollbacks.allow_refusal(execution, actor, shown=shown)
    except RefusedError as error:
        raise RefusedError(
            f"{error} This is about {name_of(execution)}; no rollback of this batch was refused."
        ) from error
