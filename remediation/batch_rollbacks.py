"""Putting a batch back: every item under the rules of a single rollback, and an outcome for each."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from audit.actor import Actor
from audit.errors import ActionError, RefusedError, StateError
from audit.trail import TrailEvent
from remediation.batch_deciding import name_of, read_once
from remediation.batches import Batches, Members, return_digest
from remediation.execution import PlaybookExecution
from remediation.rollbacks import Rollbacks
from remediation.runner import Runner
from remediation.service import Remediation

_AT_A_TIME = 8
_TOLD = 5


@dataclass(frozen=True, slots=True)
class BatchRollback:
    """What came of asking: which items were put back or wait for another signature, and why others stay, by execution id."""

    done: tuple[str, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BatchRollbacks:
    """Takes what people say about the rollback of a batch."""

    remediation: Remediation
    runner: Runner
    batches: Batches

    def ask(self, batch_id: str, actor: Actor, *, set_seen: str) -> BatchRollback:
        """Put every item back that can be, or sign its rollback where that takes more people.

        Raises:
            NotFoundError: there is no such batch.
            RefusedError: the set is another one by now, this person may not put one of them back, or each of them was refused;
                nothing was put back.
        """
        members = self.batches.members(batch_id)
        refuse_other_returnables(members, set_seen)
        once = read_once(self.remediation, members.returnable)
        person, *_ = [_allow(once, actor, execution) for execution in members.returnable]
        asked = {"set_digest": set_seen, "executions": _ids(members)}
        self._note(batch_id, {}, "batch.rollback", person, asked)
        ask_one = partial(_ask, Rollbacks(once, self.runner), actor)
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="rollback") as pool:
            said = dict(pool.map(ask_one, members.returnable))
        refused = self._still_there(batch_id, {name: why for name, why in said.items() if why})
        if refused:
            self._note(batch_id, refused, "batch.rollback_refused", person, {"refused": dict(refused)})
        done = tuple(name for name, why in said.items() if not why)
        if not done:
            raise RefusedError(_say_why(members, said))
        return BatchRollback(done, refused)

    def refuse(self, batch_id: str, actor: Actor, *, set_seen: str) -> None:
        """Say no to the rollback that waits for another signature, for every item.

        Raises:
            NotFoundError: there is no such batch.
            RefusedError: nothing waits, the set is another one by now, or this person may not refuse one of them.
        """
        members = self.batches.members(batch_id)
        waiting = [(each, each.rollback) for each in members.returnable if each.rollback]
        if not waiting:
            raise RefusedError("No rollback waits for a signature.")
        refuse_other_returnables(members, set_seen)
        rollbacks = Rollbacks(read_once(self.remediation, members.returnable), self.runner)
        for execution, asked in waiting:
            with suppress(StateError):  # somebody signed or refused at this moment
                rollbacks.refuse(execution.execution_id, actor, shown=asked.asked_version)

    def _still_there(self, batch_id: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Return the refusals of what nobody else has put back, or is putting back, meanwhile."""
        left = {each.execution_id for each in self.batches.members(batch_id).returnable if not each.rollback}
        return {name: why for name, why in refused.items() if name in left}

    def _note(
        self,
        batch_id: str,
        refused: Mapping[str, str],
        kind: str,
        actor: Actor,
        detail: Mapping[str, object],
    ) -> None:
        at = self.remediation.clock()
        event = TrailEvent(kind=kind, actor=actor, at=at, subject=batch_id, detail=detail)
        self.batches.note_refused(batch_id, refused, event)


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


def _ask(rollbacks: Rollbacks, actor: Actor, execution: PlaybookExecution) -> tuple[str, str]:
    """Put one item back; return its id, and why not where it was refused."""
    try:
        shown = execution.rollback.asked_version if execution.rollback else 0
        rollbacks.ask(execution.execution_id, actor, revision=execution.revision, shown=shown)
    except (RefusedError, StateError, ActionError) as error:
        return execution.execution_id, error.explain()
    return execution.execution_id, ""
