"""Where the event loop hears of what other threads have finished."""

import asyncio
import contextlib
import threading
from concurrent.futures import Future


class Landing:
    """Waits, on an event loop, for what other threads do. The loop is woken once for all that ends at about the same time.

    asyncio's own way (`wrap_future`) wakes it for each, which under load costs more than what it is woken for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._landed: list[asyncio.Future[None]] = []

    async def wait_for(self, done: "Future[None]") -> None:
        """Return once a future of another thread is done, whichever way."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def land(_done: "Future[None]") -> None:
            with self._lock:
                self._landed.append(waiter)
                is_first = len(self._landed) == 1
            if is_first:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(self._wake)

        done.add_done_callback(land)
        await waiter

    def _wake(self) -> None:
        with self._lock:
            landed, self._landed = self._landed, []
        for waiter in landed:
            if not waiter.done():  # given up, as at the end of a graceful stop
                waiter.set_result(None)
