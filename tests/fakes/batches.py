"""Batches in dictionaries, on the executions of a store."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from audit.errors import NotFoundError, StateError
from audit.trail import TrailEvent
from audit.waiting import has_come
from remediation.batches import Batch, BatchCard, Members, ReturnOrder, Saving
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from remediation.ports import LONGEST_REST, OWNER_LOST_AFTER
from tests.fakes.executions import MemoryExceptions, MemoryExecutions


class MemoryReturns:
    """Orders by batch. An owner is alive while the executions' store has heard of it."""

    def __init__(self, executions: MemoryExecutions, batches: "MemoryBatches") -> None:
        self._executions, self._batches = executions, batches
        self.by_batch: dict[str, ReturnOrder] = {}
        executions.returning = lambda: {each.owner for each in tuple(self.by_batch.values())}

    def put(self, order: ReturnOrder, event: TrailEvent) -> None:
        with self._executions.lock:
            if order.batch_id in self.by_batch:
                raise StateError("a rollback of this batch is under way already")
            self._note(order.batch_id, {}, event)
            self.by_batch[order.batch_id] = order

    def get(self, batch_id: str) -> ReturnOrder | None:
        return self.by_batch.get(batch_id)

    def left(self, owner: str, now: datetime) -> list[str]:
        owners = self._executions.owners.items()
        others = {name for name, seen in owners if abs(seen - now) < OWNER_LOST_AFTER}
        free = [each for each in self.by_batch.values() if each.owner not in others - {owner}]
        return [each.batch_id for each in sorted(free, key=lambda each: each.ordered_at)]

    def take_over(
        self, order: ReturnOrder, owner: str, event: TrailEvent, *, last_heard: datetime | None
    ) -> ReturnOrder:
        with self._executions.lock:
            self._executions.refuse_heard_since(order.owner, last_heard)
            self._require(order)
            self._executions.trail.record(event)
            taken = replace(order, owner=owner, takeovers=order.takeovers + 1)
            self.by_batch[order.batch_id] = taken
        return taken

    def end(self, order: ReturnOrder, refused: Mapping[str, str], event: TrailEvent) -> None:
        with self._executions.lock:
            self._require(order)
            self._note(order.batch_id, refused, event)
            del self.by_batch[order.batch_id]

    def _require(self, order: ReturnOrder) -> None:
        if self.by_batch.get(order.batch_id) != order:
            raise StateError("somebody was faster with the rollback of this batch")

    def _note(self, batch_id: str, refused: Mapping[str, str], event: TrailEvent) -> None:
        self._executions.trail.record(event)
        batch = self._batches.get(batch_id)
        self._batches.by_id[batch_id] = replace(batch, refused=dict(refused), refusals=batch.refusals + 1)


class MemoryBatches:
    """Batches by id. All that is stored together is tried on a copy first."""

    def __init__(self, executions: MemoryExecutions, exceptions: MemoryExceptions) -> None:
        self._executions, self._exceptions = executions, exceptions
        self.by_id: dict[str, Batch] = {}
        self.cards: dict[str, BatchCard] = {}
        self.told: dict[str, str] = {}
        self.told_due: dict[str, datetime] = {}

    def create(
        self, batch: Batch, executions: Sequence[PlaybookExecution], events: Sequence[TrailEvent]
    ) -> Batch:
        with self._executions.lock:
            if stored := self.by_id.get(batch.batch_id):
                return stored
            with self._or_nothing(events):
                for execution, event in zip(executions, events, strict=False):
                    self._executions.create(execution, event)
                self._executions.trail.record_all(events[len(executions) :])
            self.by_id[batch.batch_id] = batch
        return batch

    def get(self, batch_id: str) -> Batch:
        try:
            return self.by_id[batch_id]
        except KeyError:
            raise NotFoundError(f"there is no batch {batch_id}") from None

    def members(self, batch_id: str) -> Members:
        batch = self.get(batch_id)
        with self._executions.lock:
            return Members(batch, tuple(map(self._executions.get, batch.execution_ids)))

    def named(self, name: str) -> Members:
        wanted = name.strip().lower()
        found = [each for each in self.by_id if wanted and each.lower().startswith(wanted)]
        exact = [each for each in found if each.lower() == wanted]
        if not found:
            raise NotFoundError(f"there is no batch “{name}”")
        if len(found) > 1 and not exact:
            raise NotFoundError(f"more than one batch begins with “{name}”")
        return self.members((exact or found)[0])

    def holders(self, holds: Iterable[str]) -> dict[str, str]:
        wanted = set(holds)
        under_way = tuple(self._executions.by_id.values())
        return {each.held: each.execution_id for each in under_way if each.held and each.held in wanted}

    def save_all(
        self,
        savings: Sequence[Saving],
        events: Sequence[TrailEvent],
        *,
        exceptions: Sequence[FindingException] = (),
    ) -> list[PlaybookExecution]:
        with self._executions.lock, self._or_nothing(events):
            saved = [
                self._executions.save(before, after, event)
                for (before, after), event in zip(savings, events, strict=False)
            ]
            self._executions.trail.record_all(events[len(savings) :])
            self._exceptions.by_id.update({each.exception_id: each for each in exceptions})
        return saved

    def card(self, batch_id: str) -> BatchCard:
        self.get(batch_id)
        return self.cards.get(batch_id, BatchCard(batch_id=batch_id))

    def put_card(self, card: BatchCard) -> None:
        self.cards[card.batch_id] = card

    def outdated(self, now: datetime, limit: int = 50) -> list[str]:
        behind = [batch for batch in self.by_id.values() if batch.channel and self._is_behind(batch, now)]
        return [
            batch.batch_id for batch in sorted(behind, key=lambda each: (each.created_at, each.batch_id))
        ][:limit]

    def claim(self, batch_id: str, outcome: str, now: datetime) -> bool:
        if self.told.get(batch_id, "") == outcome and not self._is_untold(batch_id, now):
            return False
        self.told[batch_id] = outcome
        self.told_due.pop(batch_id, None)
        return True

    def put_off(self, batch_id: str, outcome: str, *, until: datetime) -> None:
        if self.told.get(batch_id) == outcome:
            self.told_due[batch_id] = until

    def _is_untold(self, batch_id: str, now: datetime) -> bool:
        due_at = self.told_due.get(batch_id)
        return due_at is not None and has_come(due_at, now, longest=LONGEST_REST)

    def _is_behind(self, batch: Batch, now: datetime) -> bool:
        card, total = self.card(batch.batch_id), self.members(batch.batch_id).total
        was_tried = card.attempted_total >= total and card.next_attempt_at
        waits = was_tried and not has_come(was_tried, now, longest=LONGEST_REST)
        return self._is_untold(batch.batch_id, now) or (card.drawn_total < total and not waits)

    def _or_nothing(self, events: Sequence[TrailEvent]) -> ExitStack:
        """Put everything back as it was, unless the block gets through."""
        executions, entries = dict(self._executions.by_id), list(self._executions.trail.entries)
        stack = ExitStack()

        def undo(kind: object, _error: object, _trace: object) -> None:
            if kind is not None:
                self._executions.by_id.clear()
                self._executions.by_id.update(executions)
                self._executions.trail.entries[:] = entries

        stack.push(undo)
        return stack
