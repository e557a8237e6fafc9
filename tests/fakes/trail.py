"""The trail and its anchors in lists; see `tests.fakes.stores`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from audit.anchors import LONGEST_ANCHOR_REST, Anchor, DueAnchor, anchor_wait
from audit.errors import InputError, TrailError
from audit.trail import TrailEntry, TrailEvent, append
from audit.waiting import has_come, has_passed


class MemoryTrail:
    """A trail in a list. `entries` is open for tests to look at, and to tamper with."""

    def __init__(self) -> None:
        self.entries: list[TrailEntry] = []
        self._lock = RLock()

    def record(self, event: TrailEvent) -> TrailEntry:
        with self._lock:
            try:
                entry = append(self.head(), event)
            except InputError as error:
                raise TrailError("the trail cannot be written, so nothing was changed") from error
            self.entries.append(entry)
            return entry

    def record_all(self, events: Sequence[TrailEvent]) -> list[TrailEntry]:
        with self._lock:
            before = list(self.entries)
            try:
                return [self.record(event) for event in events]
            except TrailError:
                self.entries[:] = before
                raise

    def stream(self) -> Iterator[TrailEntry]:
        return iter(tuple(self.entries))

    def head(self) -> TrailEntry | None:
        return self.entries[-1] if self.entries else None


@dataclass
class _Begun:
    anchor: Anchor
    noted_at: datetime
    attempt: int = 0
    next_attempt_at: datetime | None = None
    places: frozenset[str] = frozenset()
    told: bool = False

    def has_rested(self, now: datetime) -> bool:
        return self.next_attempt_at is None or has_come(
            self.next_attempt_at, now, longest=LONGEST_ANCHOR_REST
        )


class MemoryAnchors:
    """Anchors in a list; `told` once they stand in all places."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._trail = trail
        self._begun: list[_Begun] = []

    def due(self, now: datetime, *, every: timedelta) -> DueAnchor | None:
        begun = self._next(now, every)
        if begun is None:
            return None
        begun.attempt += 1
        begun.next_attempt_at = now + anchor_wait(begun.attempt)
        return DueAnchor(begun.anchor, begun.attempt, begun.places)

    def _next(self, now: datetime, every: timedelta) -> _Begun | None:
        head, last = self._trail.head(), self._begun[-1] if self._begun else None
        is_time = last is None or has_passed(last.noted_at, now, span=every)
        if head and is_time and (last is None or head.seq > last.anchor.seq):
            self._begun.append(_Begun(Anchor.of(head), now))
            return self._begun[-1]
        if last is None or last.told or not last.has_rested(now):
            return None
        return last

    def noted(self, anchor: Anchor, place: str) -> None:
        for begun in self._begun:
            if begun.anchor == anchor:
                begun.places |= {place}

    def told(self, anchor: Anchor) -> None:
        for begun in self._begun:
            begun.told = begun.told or begun.anchor == anchor

    def first_without(self, place: str) -> Anchor | None:
        first = None
        for begun in reversed(self._begun):
            if begun.told or place in begun.places:
                break
            first = begun.anchor
        return first
