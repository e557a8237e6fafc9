"""Threads that come at the same time, as surely as a test can have it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from storage import Database

PATIENCE_S = 10


@contextmanager
def gathering(database: Database) -> Iterator[Callable[..., Future[Any]]]:
    """Have calls that write gather before a SQLite database, in the order they are brought, until the block ends."""
    assert database._turns is not None
    pause = threading.Event()
    with ThreadPoolExecutor(50) as pool:

        def bring(call: Callable[..., Any], *arguments: object) -> Future[Any]:
            before = len(database._writes._gathered)
            brought = pool.submit(call, *arguments)
            while len(database._writes._gathered) == before:
                pause.wait(0.001)
            return brought

        with database._turns.taken():
            yield bring
