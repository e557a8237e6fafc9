"""Who writes next: one thread at a time, in the order they came, people who wait for an answer first."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MOST_URGENT_IN_A_ROW = 16


class Turns:
    """A lock that a thread may take again while it holds it, handed from one to the next instead of let go and fought for.

    A plain lock goes to whoever happens to run when it falls free, so that under load somebody waits for a second behind
    writers of a few milliseconds each. The urgent go first, but not for ever: a heartbeat must not starve behind them.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: int | None = None
        self._depth = 0
        self._urgent_in_a_row = 0
        self._urgent: deque[tuple[int, threading.Lock]] = deque()
        self._others: deque[tuple[int, threading.Lock]] = deque()

    @contextmanager
    def taken(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for the turn and hold it for the length of the block; `urgent` goes before all others who wait."""
        self._take(urgent=urgent)
        try:
            yield
        finally:
            self._hand_on()

    @property
    def is_mine(self) -> bool:
        """Tell whether this thread holds the turn."""
        return self._holder == threading.get_ident()

    def _take(self, *, urgent: bool) -> None:
        me = threading.get_ident()
        with self._guard:
            if self._holder in {None, me}:
                self._holder, self._depth = me, self._depth + 1
                return
            gate = threading.Lock()
            gate.acquire()
            (self._urgent if urgent else self._others).append((me, gate))
        gate.acquire()  # opened by whoever hands the turn to us

    def _hand_on(self) -> None:
        with self._guard:
            self._depth -= 1
            if self._depth:
                return
            waiting = self._who_is_next()
            if not waiting:
                self._holder = None
                return
            self._holder, gate = waiting.popleft()
            self._depth = 1
            gate.release()

    def _who_is_next(self) -> deque[tuple[int, threading.Lock]]:
        """Return the queue whose first has the next turn; it is empty if nobody waits."""
        if self._urgent and (self._urgent_in_a_row < MOST_URGENT_IN_A_ROW or not self._others):
            self._urgent_in_a_row += 1
            return self._urgent
        self._urgent_in_a_row = 0
        return self._others
