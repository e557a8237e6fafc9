"""The hands: bounded threads that do `(kind, id)`, and a sweep that finds what was left lying."""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.hands import Hands

log = structlog.get_logger()

Work = tuple[str, str]
SWEEP_EVERY_S = 2.0


def _nothing(_now: datetime) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of work: who does it, and how many at a time. Lanes do not wait for each other.

    `about` is what the id of a piece of work is called on every line that it logs; `waiting` returns the ids that the stored
    state says are waiting at a moment.
    """

    do: Callable[[str], object]
    threads: int
    about: str = "id"
    waiting: Callable[[datetime], Iterable[str]] = _nothing


@dataclass(frozen=True, slots=True)
class Load:
    """How much work a lane has, waiting or being done, and since how many seconds the oldest of it."""

    depth: int
    oldest_s: float


class Worker:
    """A `Dispatcher` on threads of this process.

    The same work is never done twice at once: what is submitted again while it waits is one piece of work, what is
    submitted again while it is being done is done once more afterwards. Work must be re-entrant all the
    same, because a crash forgets the queue and the sweep hands it out again.

    It takes its lanes on after it is made, for what they do may hand it work in turn.

    Args:
        sweep_every_s: seconds between two sweeps.
    """

    def __init__(self, *, sweep_every_s: float = SWEEP_EVERY_S) -> None:
        self._sweep_every_s = sweep_every_s
        self._sweep: Callable[[], Iterable[Work]] = tuple
        self._lanes: dict[str, Lane] = {}
        self._hands: dict[str, Hands[Work]] = {}
        self._waiting: set[Work] = set()
        self._since: dict[Work, float] = {}
        self._swept_at = time.monotonic()
        self._doing: set[Work] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_forever, name="sweep", daemon=True)

    def take_on(self, lanes: Mapping[str, Lane], sweep: Callable[[], Iterable[Work]]) -> None:
        """Learn what there is to do, by kind; once, before any work comes.

        `sweep` returns work that the stored state says is waiting; it is asked at the start and every few seconds.
        """
        self._sweep = sweep
        self._lanes = dict(lanes)
        self._hands = {kind: Hands(self._do, threads=lane.threads, name=kind) for kind, lane in lanes.items()}

    def start(self) -> None:
        """Start sweeping, at once."""
        self._sweeper.start()

    def submit(self, kind: str, work_id: str) -> None:
        """Queue work; see `Dispatcher.submit`. While stopping, it is left to the next process's sweep."""
        work = (kind, work_id)
        with self._lock:
            if self._stopping.is_set() or work in self._waiting:
                return
            if work not in self._doing:
                self._hands[kind].hand(work)
            self._waiting.add(work)  # once somebody has it: what nobody has is handed out by the next sweep
            self._since.setdefault(work, time.monotonic())

    def stop(self) -> None:
        """Finish what is being done, leave what is waiting to the next process, and return."""
        self._stopping.set()
        for hands in self._hands.values():
            hands.shut()
        for hands in self._hands.values():
            hands.join()
        if self._sweeper.is_alive():
            self._sweeper.join()

    @property
    def is_alive(self) -> bool:
        """Tell whether the sweep is running."""
        return self._sweeper.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Tell whether what is being done has to end soon."""
        return self._stopping.is_set()

    def loads(self) -> dict[str, Load]:
        """Return how much there is to do, by lane."""
        now = time.monotonic()
        with self._lock:
            since = list(self._since.items())
        ages: dict[str, list[float]] = {kind: [] for kind in self._lanes}
        for (kind, _), begun in since:
            ages[kind].append(now - begun)
        return {kind: Load(len(each), max(each, default=0.0)) for kind, each in ages.items()}

    @property
    def sweep_age_s(self) -> float:
        """Return how many seconds ago the last sweep got through."""
        return time.monotonic() - self._swept_at

    def _do(self, work: Work) -> None:
        with self._lock:
            self._waiting.discard(work)
            self._doing.add(work)
        try:
            self._attempt(work)
        finally:
            with self._lock:
                self._doing.discard(work)
                if work not in self._waiting:
                    self._since.pop(work, None)
                if work in self._waiting and not self._stopping.is_set():
                    self._hands[work[0]].hand(work)

    def _attempt(self, work: Work) -> None:
        kind, work_id = work
        lane = self._lanes[kind]
        structlog.contextvars.clear_contextvars()  # what the thread's last work has bound is not this one's
        with structlog.contextvars.bound_contextvars(work=kind, **{lane.about: work_id}):
            try:
                lane.do(work_id)
            except BaseException:  # that a library wants to end the program ends no thread of ours
                log.exception("work failed", reference=uuid.uuid4().hex[:8])

    def _sweep_forever(self) -> None:
        while True:
            try:
                for kind, work_id in self._sweep():
                    self.submit(kind, work_id)
                self._swept_at = time.monotonic()
            except Exception:
                log.exception("sweep failed", reference=uuid.uuid4().hex[:8])
            if self._stopping.wait(self._sweep_every_s):
                return
