"""What a listener sets off and its acknowledgement does not wait for: calls of Slack, which may take a second or fail."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

_AT_ONCE = 32


class Aside:
    """Threads beside the listeners'. Nothing here is stored: what has to survive a crash belongs into the inbox."""

    def __init__(self, threads: int = _AT_ONCE) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aside")

    def run(self, do: Callable[[], None], *, or_tell: Callable[[Exception], None]) -> None:
        """Do something soon. What it raises, whatever it is, goes to `or_tell`, on the same thread."""
        self._pool.submit(do).add_done_callback(partial(_tell, or_tell))

    def stop(self) -> None:
        """Finish what was begun."""
        self._pool.shutdown(wait=True)


def _tell(or_tell: Callable[[Exception], None], done: "Future[None]") -> None:
    error = done.exception()
    if isinstance(error, Exception):
        or_tell(error)
