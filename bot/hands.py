"""Threads of one lane, and the queue before them.

Python's own pool makes a future for each piece of work, a dozen objects that the garbage collector looks at while work waits: with ten
thousand clicks waiting, it stopped every thread for that long that people noticed. Nobody asks our futures anything.
"""

import contextlib
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Work = TypeVar("Work")


class Hands(Generic[Work]):
    """Do pieces of work in the order they come, as many at once as there are threads. A thread begins when it is needed.

    Args:
        do: does a piece of work, and tells of what it meets: what it raises is heard by nobody.
        threads: how many there are at most.
        name: what they are called.
    """

    def __init__(self, do: Callable[[Work], None], *, threads: int, name: str) -> None:
        self._do = do
        self._most = threads
        self._name = name
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._spare = 0  # threads without work, less the work that waits
        self._is_shut = False

    def hand(self, work: Work) -> None:
        """Queue a piece of work; once it is shut, none is taken.

        Raises:
            RuntimeError: the system lets not one thread begin; the work is not taken.
        """
        with self._lock:
            if self._is_shut:
                return
            if self._spare <= 0 and len(self._threads) < self._most:
                self._begin()
            self._spare -= 1
            self._queue.put(work)

    def shut(self) -> None:
        """Take nothing more, drop what waits, and let each thread end after what it is doing."""
        with self._lock:
            self._is_shut = True
            with contextlib.suppress(Empty):
                while True:
                    self._queue.get_nowait()
            for _ in self._threads:
                self._queue.put(None)

    def join(self) -> None:
        """Wait until all threads have ended, after `shut`."""
        for thread in self._threads:
            thread.join()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}_{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system lets no more begin
            if not self._threads:
                raise
            return  # those that are there do it
        self._threads.append(thread)
        self._spare += 1

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            with contextlib.suppress(BaseException):  # a thread that ended would be missed for good
                self._do(work)
            del work  # else it is held until the next one comes
            with self._lock:
                self._spare += 1
