"""Executions and their trail in memory: for programs that bring no database, gone when they end."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

from audit.errors import HeldError, NotFoundError, StateError
from audit.trail import TrailEntry, TrailEvent, append
from remediation.execution import Glimpse, PlaybookExecution, check_change, glimpses_between
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import LIVE, PlaybookStatus


class MemoryExecutions:
    """An `ExecutionStore` in a dictionary, with the same refusals as the one on SQL. Safe between threads."""

    def __init__(self) -> None:
        self._executions: dict[str, PlaybookExecution] = {}
        self._owners: dict[str, datetime] = {}
        self._lock = threading.RLock()
        self.trail: list[TrailEntry] = []

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        """Store a new execution; see `ExecutionStore.create`."""
        with self._lock:
            if execution.execution_id in self._executions:
                return self._executions[execution.execution_id]
            self._refuse_held(execution)
            return self._write(replace(execution, version=1), event)

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        """Store a change; see `ExecutionStore.save`."""
        with self._lock:
            stored = self._executions.get(before.execution_id)
            if stored is None or stored.version != before.version:
                raise StateError(f"{before.execution_id} changed meanwhile")
            check_change(stored, after)
            self._refuse_held(after)
            return self._write(replace(after, version=before.version + 1), event)

    def note(self, execution: PlaybookExecution, event: TrailEvent) -> None:
        """Put an entry on the trail, and change nothing; see `ExecutionStore.note`."""
        with self._lock:
            stored = self._executions.get(execution.execution_id)
            if stored is None or not stored.held:
                raise StateError(f"execution {execution.execution_id} is over by now")
            self._append(event)

    def take_over(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        event: TrailEvent,
        *,
        last_heard: datetime | None,
    ) -> PlaybookExecution:
        """Store that another owner has it; see `ExecutionStore.take_over`."""
        with self._lock:
            if self._owners.get(before.owner) != last_heard:
                raise StateError(f"{before.owner} is alive")
            return self.save(before, after, event)

    def get(self, execution_id: str) -> PlaybookExecution:
        """Return an execution; see `ExecutionStore.get`."""
        with self._lock:
            if execution_id not in self._executions:
                raise NotFoundError(f"no execution “{execution_id}”")
            return self._executions[execution_id]

    def history(
        self,
        *,
        playbook_id: str | None = None,
        finding_id: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[PlaybookExecution]:
        """Return executions, newest first; see `ExecutionStore.history`."""
        with self._lock:
            newest_first = list(reversed(self._executions.values()))
        wanted = (
            execution
            for execution in newest_first
            if playbook_id in (None, execution.playbook_id) and finding_id in (None, execution.finding_id)
        )
        return list(islice(wanted, offset, offset + limit))

    def glimpses(
        self,
        status: PlaybookStatus,
        *,
        after: datetime | None = None,
        until: datetime | None = None,
        untold: str = "",  # noqa: ARG002 - all of them: `Notices.untold` has the last word
        number: str = "",  # noqa: ARG002
    ) -> list[Glimpse]:
        """Return what there is to know of executions in a state; see `ExecutionStore.glimpses`."""
        with self._lock:
            found = [each.glimpse for each in self._executions.values() if each.status is status]
        return glimpses_between(found, after=after, until=until)

    def ran_out(self, now: datetime, *, since: datetime) -> list[PlaybookExecution]:
        """Return what ran out, or is to be looked at again; see `ExecutionStore.ran_out`."""
        with self._lock:
            everything = list(self._executions.values())
        return [execution for execution in everything if _ran_out(execution, now, since)]

    def touching(self, *names: str, limit: int | None = 50) -> list[PlaybookExecution]:
        """Return the executions on a resource, newest first; see `ExecutionStore.touching`."""
        with self._lock:
            newest_first = list(reversed(self._executions.values()))
        return [execution for execution in newest_first if execution.resource_names[0] in names][:limit]

    def beat(self, owner: str, now: datetime) -> None:
        """Note that an owner is alive; see `ExecutionStore.beat`."""
        with self._lock:
            self._owners[owner] = now

    def heard(self) -> Mapping[str, datetime]:
        """Return what those who have something under way said last; see `ExecutionStore.heard`."""
        with self._lock:
            at_work = {each.owner for each in self._executions.values() if each.status in LIVE}
            return {name: said for name, said in self._owners.items() if name in at_work}

    def unfinished(self, owner: str, now: datetime) -> list[PlaybookExecution]:
        """Return what nobody else is running; see `ExecutionStore.unfinished`."""
        with self._lock:
            alive = {name for name, seen_at in self._owners.items() if abs(seen_at - now) < OWNER_LOST_AFTER}
            under_way = [each for each in self._executions.values() if each.status in LIVE]
        return [execution for execution in under_way if execution.owner not in alive - {owner}]

    def _refuse_held(self, execution: PlaybookExecution) -> None:
        for other in self._executions.values():
            if (
                execution.held
                and other.held == execution.held
                and other.execution_id != execution.execution_id
            ):
                raise HeldError(other.execution_id)

    def _write(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        self._append(event)
        self._executions[execution.execution_id] = execution
        return execution

    def _append(self, event: TrailEvent) -> None:
        self.trail.append(append(self.trail[-1] if self.trail else None, event))


def _ran_out(execution: PlaybookExecution, now: datetime, since: datetime) -> bool:
    undecided = execution.status is PlaybookStatus.EXPIRED and execution.expires_at >= since
    return undecided or (execution.wakes_at is not None and execution.wakes_at <= now)
