"""Putting a batch back: every item under the rules of a single rollback, and an outcome for each."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from audit.actor import Actor
from audit.errors import ActionError, CountersignError, RefusedError, StateError
from audit.trail import TrailEvent
from remediation.batch_deciding import name_of, read_once
from remediation.batches import Batches, Members, return_digest
from remediation.execution import PlaybookExecution, Restored
from remediation.rollbacks import Rollbacks
from remediation.runner import Runner
from remediation.service import Remediation
from remediation.states import PlaybookStatus

_AT_A_TIME = 8
_TOLD = 5


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
class _Said:
    """What came of one item: why it stays, empty where it went back; `is_known` is False where it failed on the way."""

    execution_id: str
    why: str = ""
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class BatchRollbacks:
    """Takes what people say about the rollback of a batch."""

    remediation: Remediation
    runner: Runner
    batches: Batches

    def preview(self, members: Members) -> Preview:
        """Read every resource and return what a rollback of the batch would put back now. Changes nothing.

        Raises:
            RefusedError: nothing of it can be put back: something waits or is under way, or each item is refused.
        """
        refuse_unsettled(members)
        preview_one = partial(_preview, Rollbacks(self.remediation, self.runner))
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="preview") as pool:
            seen = list(pool.map(preview_one, members.returnable))
        names = _ids(members)
        refused = {name: each for name, each in zip(names, seen, strict=True) if isinstance(each, str)}
        if len(refused) == len(names):
            raise RefusedError(_say_why(members, refused))
        return Preview(
            {name: each for name, each in zip(names, seen, strict=True) if not isinstance(each, str)}, refused
        )

    def ask(self, batch_id: str, actor: Actor, *, set_seen: str) -> BatchRollback:
        """Put every item back that can be, or sign its rollback where that takes more people.

        Raises:
            NotFoundError: there is no such batch.
            RefusedError: the set is another one by now, this person may not put one of them back, or each of them was refused;
                nothing was put back.
            TrailError: the trail cannot be written; nothing was put back.
        """
        members = self.batches.members(batch_id)
        refuse_other_returnables(members, set_seen)
        once = read_once(self.remediation, members.returnable)
        person, *_ = [_allow(once, actor, execution) for execution in members.returnable]
        asked = {"set_digest": set_seen, "executions": _ids(members)}
        self._note(batch_id, {}, "batch.rollback", person, asked)
        ask_one = partial(_ask, Rollbacks(once, self.runner), actor)
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="rollback") as pool:
            said = list(pool.map(ask_one, members.returnable))
        broken = {each.execution_id: each.why for each in said if not each.is_known}
        done = tuple(each.execution_id for each in said if not each.why)
        refused = {each.execution_id: each.why for each in said if each.why and each.is_known}
        # Whatever cannot be stored or read from here on: what became of each item is known, and has to be told.
        with suppress(CountersignError):
            refused = self._still_there(batch_id, refused)
            if refused or broken:
                about = {"refused": refused, "broken": broken}
                self._note(batch_id, {**refused, **broken}, "batch.rollback_refused", person, about)
        if not done and not broken:
            raise RefusedError(_say_why(members, {each.execution_id: each.why for each in said}))
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


def _preview(rollbacks: Rollbacks, execution: PlaybookExecution) -> tuple[Restored, ...] | str:
    """Return what would go back, or why it stays."""
    try:
        return rollbacks.preview(execution.execution_id)
    except CountersignError as error:
        return error.explain()


def _ask(rollbacks: Rollbacks, actor: Actor, execution: PlaybookExecution) -> _Said:
    """Put one item back; return why not where it was refused. Whatever goes wrong with one is no other's business."""
    name = execution.execution_id
    try:
        shown = execution.rollback.asked_version if execution.rollback else 0
        after = rollbacks.ask(name, actor, revision=execution.revision, shown=shown)
    except (RefusedError, StateError, ActionError) as error:
        return _Said(name, error.explain())
    except CountersignError as error:
        what, _, _ = error.explain().partition(
            ";"
        )  # what follows says that nothing was changed, as is true of single steps
        return _Said(name, what, is_known=False)
    if after.status is PlaybookStatus.ROLLBACK_FAILED:
        return _Said(name, after.error or "its rollback failed", is_known=False)
    return _Said(name)
