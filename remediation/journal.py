"""Writing down each step of a run: one stored change, one trail entry, one word to whoever draws the card."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from audit.actor import WORKER, Actor
from audit.finding_fields import clean
from remediation.clock import utc_now
from remediation.events import change_event
from remediation.execution import ActionResult, PlaybookExecution
from remediation.plan import ActionPlan
from remediation.ports import ExecutionStore, Notifier, Silent
from remediation.states import ActionStatus, PlaybookStatus
from remediation.watch import Watch

NOTHING: Mapping[str, object] = MappingProxyType({})
KINDS = {
    ActionStatus.PLANNED: "action.not_done",
    ActionStatus.COMPLETED: "action.completed",
    ActionStatus.FAILED: "action.failed",
    ActionStatus.STARTED: "action.unknown",
    ActionStatus.ROLLED_BACK: "rollback.action.completed",
    ActionStatus.ROLLBACK_FAILED: "rollback.action.failed",
}


class InHand:
    """The executions that threads of this process are working on: each by one at a time."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def taking(self, execution_id: str) -> Iterator[bool]:
        """Take an execution for the block's duration; False where another thread has it."""
        with self._lock:
            is_free = execution_id not in self._names
            self._names.add(execution_id)
        try:
            yield is_free
        finally:
            if is_free:
                with self._lock:
                    self._names.discard(execution_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Where a run is written down. `owner` names this process among others on the same database; `watch` listens to those."""

    store: ExecutionStore
    notifier: Notifier = field(default_factory=Silent)
    clock: Callable[[], datetime] = utc_now
    owner: str
    watch: Watch = field(default_factory=Watch)

    def save(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        kind: str,
        detail: Mapping[str, object] = NOTHING,
        *,
        actor: Actor = WORKER,
    ) -> PlaybookExecution:
        """Store a change with its trail entry.

        Raises:
            StateError: somebody was faster. Nothing was written.
            TrailError: the trail cannot be written. Nothing was written.
        """
        event = change_event(kind, actor, after, at=self.clock(), detail=detail)
        stored = self.store.save(before, after, event)
        self.notifier.changed(stored.execution_id)
        return stored

    def record(
        self, execution: PlaybookExecution, position: int, result: ActionResult, kind: str, **detail: object
    ) -> PlaybookExecution:
        """Store what became of one action. No word of a cloud's may keep it from being stored."""
        result = replace(result, error=result.error and clean(result.error))
        about: dict[str, object] = {"action": result.action_name, "request_ids": list(result.request_ids)}
        if result.error:
            about["error"] = result.error
        return self.save(execution, execution.with_action(position, result), kind, {**about, **detail})

    def end(
        self, execution: PlaybookExecution, status: PlaybookStatus, *, error: str | None = None
    ) -> PlaybookExecution:
        """Store how it ended."""
        ended = execution.moved(status, error=error and clean(error), ended_at=self.clock())
        return self.save(execution, ended, f"execution.{status.value.lower()}")


def plans_of(execution: PlaybookExecution) -> tuple[ActionPlan, ...]:
    """Return what the actions of an execution are to do, in order."""
    return execution.plan.actions if execution.plan else ()
