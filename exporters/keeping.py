"""Keeping hold of a fire while one of its parts is being done, however long that takes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from audit.errors import CountersignError, NotFoundError, StateError

log = structlog.get_logger()


@contextmanager
def keeping(renew: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """Renew a hold every few seconds, from another thread, until the block ends.

    Where it turns out to be somebody else's, the rest of the block goes on, and finds that out when it notes what it did. Where it
    cannot be renewed for now, the next time may get through.
    """
    ended = threading.Event()
    keeper = threading.Thread(target=_renew_until, args=(ended, renew, every_s), name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def _renew_until(ended: threading.Event, renew: Callable[[], None], every_s: float) -> None:
    while not ended.wait(every_s):
        try:
            renew()
        except (StateError, NotFoundError):
            return
        except CountersignError as error:
            log.warning("hold not renewed", error=str(error))
