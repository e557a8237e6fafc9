"""Where the event loop hears of what other threads have finished."""

import asyncio
import threading
from concurrent.futures import Future


class Landing:
    """Waits, on event loops, for what other threads do. A loop is woken once for all that ends at about the same time.

    asyncio's own way (`wrap_future`) wakes it for each, which under load costs more than what it is woken for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._landed: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}

    async def wait_for(self, done: "Future[None]") -> None:
        """Return once a future of another thread is done, whichever way."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def land(_done: "Future[None]") -> None:
            with self._lock:
                landed = self._landed.setdefault(loop, [])
                landed.append(waiter)
                is_first = len(landed) == 1
            if is_first:
                self._have_woken(loop)

        done.add_done_callback(land)
        await waiter

    def _have_woken(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._wake, loop)
        except RuntimeError:  # it is closed: nobody waits there any more
            self._take(loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        for waiter in self._take(loop):
            if not waiter.done():  # given up, as at the end of a graceful stop
                waiter.set_result(None)

    def _take(self, loop: asyncio.AbstractEventLoop) -> list[asyncio.Future[None]]:
        with self._lock:
            return self._landed.pop(loop, [])
