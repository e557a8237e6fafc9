"""What a listener sets off and its acknowledgement does not wait for: calls of Slack, which may take a second or fail.

A window has three seconds, telling a person may wait for Slack's limits: so windows never stand behind people who are told. Both
queues have an end, and a stop waits for neither longer than the process is given.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from audit.errors import RefusedError

log = structlog.get_logger()
Do = Callable[[], None]

STOP_WITHIN_S: Final = 8.0
_AT_ONCE: Final = 32
_TELLING: Final = 8
_ROOM: Final = 64
_ROOM_FOR_TELLING: Final = 256
_TOO_MUCH: Final = "Too much waits for Slack at this moment, so nothing was decided. Click once more."


class Pool:
    """Threads that come with the work and go when there is none; the process may end without them.

    Args:
        name: of its threads.
        threads: how many at once.
        room: how much may wait for them.
    """

    def __init__(self, name: str, *, threads: int, room: int) -> None:
        self._name, self._most, self._room = name, threads, room
        self._lock = threading.Lock()
        self._waiting: deque[Do] = deque()
        self._threads: set[threading.Thread] = set()
        self._is_stopping = False

    def submit(self, do: Do) -> bool:
        """Have something done, which must not raise; tell whether there was room for it."""
        with self._lock:
            if self._is_stopping or len(self._waiting) >= self._room:
                return False
            self._waiting.append(do)
            if len(self._threads) < self._most:
                thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._threads.add(thread)
                thread.start()
        return True

    def stop(self, until: float) -> int:
        """Take nothing more, and finish what is here, as far as there is time; return how much was left undone."""
        with self._lock:
            self._is_stopping = True
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        with self._lock:
            left = len(self._waiting) + len(self._threads)
            self._waiting.clear()
        return left

    def _work(self) -> None:
        while (do := self._next()) is not None:
            do()

    def _next(self) -> Do | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._threads.discard(threading.current_thread())
            return None


class Aside:
    """Threads beside the listeners'. Nothing here is stored: what has to survive a crash belongs into the inbox.

    Args:
        threads: how many windows are opened at once.
        tellers: how many people are told at once.
        room: how many windows may wait for that.
    """

    def __init__(self, threads: int = _AT_ONCE, tellers: int = _TELLING, *, room: int = _ROOM) -> None:
        self._doing = Pool("aside", threads=threads, room=room)
        self._telling = Pool("telling", threads=tellers, room=_ROOM_FOR_TELLING)

    def run(self, do: Do, *, or_tell: Callable[[Exception], None]) -> None:
        """Do something soon. What it raises, whatever it is, goes to `or_tell`, on a thread that tells people."""

        def attempt() -> None:
            try:
                do()
            except Exception as error:  # noqa: BLE001 - this thread's boundary: a person waits for an answer
                self._hand_on(or_tell, error)

        if not self._doing.submit(attempt):
            self._hand_on(or_tell, RefusedError(_TOO_MUCH))

    def tell(self, do: Do) -> None:
        """Tell somebody something soon. What it raises is logged."""

        def attempt() -> None:
            try:
                do()
            except Exception:
                log.exception("error not told")

        if not self._telling.submit(attempt):
            log.error("error not told", error="too much waits, or it is stopping")

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Finish what was begun, as far as there is time; what Slack does not take until then is lost."""
        until = time.monotonic() + within_s
        left = self._doing.stop(until) + self._telling.stop(until)
        if left:
            log.warning("left undone beside the listeners", left=left)

    def _hand_on(self, or_tell: Callable[[Exception], None], error: Exception) -> None:
        self.tell(lambda: or_tell(error))
