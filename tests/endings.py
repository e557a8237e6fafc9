"""Ends of what tests have started, beside the tests that follow: a web server takes two tenths of a second to notice."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

AT_ONCE = 4
Later = Callable[[Callable[[], object]], None]
"""Has something ended beside what follows. What it raises is raised once all is over."""


@contextmanager
def ending_later() -> Iterator[Later]:
    """Wait in the end for all that was to be ended."""
    ends: list[Future[object]] = []
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ending") as pool:
        yield lambda end: ends.append(pool.submit(end))
    for end in ends:
        end.result()
