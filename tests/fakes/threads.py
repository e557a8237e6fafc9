"""A system that lets no more threads begin."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_MORE_THAN_THERE_IS = 1 << 46


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Ask for each thread's stack more than any machine's addresses hold, so that the system refuses it."""
    before = threading.stack_size(_MORE_THAN_THERE_IS)
    try:
        yield
    finally:
        threading.stack_size(before)
