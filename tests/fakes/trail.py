"""The trail and its anchors in lists; see `tests.fakes.stores`."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from threading import RLock

from audit.anchors import Anchor
from audit.errors import InputError, TrailError
from audit.trail import TrailEntry, TrailEvent, append
from audit.waiting import has_passed


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


class MemoryAnchors:
    """Anchors in a list; `told` once they stand elsewhere."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._trail = trail
        self._begun: list[tuple[Anchor, datetime]] = []
        self._told: set[int] = set()

    def due(self, now: datetime, *, every: timedelta) -> Anchor | None:
        head = self._trail.head()
        if self._begun:
            last, noted_at = self._begun[-1]
            if last.seq not in self._told:
                return last
            is_early = not has_passed(noted_at, now, span=every)
            if is_early or head is None or head.seq <= last.seq:
                return None
        if head is None:
            return None
        self._begun.append((Anchor.of(head), now))
        return Anchor.of(head)

    def told(self, anchor: Anchor) -> None:
        self._told.add(anchor.seq)
