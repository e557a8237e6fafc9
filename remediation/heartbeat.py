"""Signs of life while something runs, so that nobody on the same store takes the run over."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from audit.errors import CountersignError
from remediation.clock import utc_now
from remediation.ports import ExecutionStore

BEAT_EVERY_S = 10.0  # several may fail before `OWNER_LOST_AFTER` is over


def new_owner(kind: str) -> str:
    """Return a name that no other process, and no later start of this one, has."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Beats for an owner that has no sweep to do it."""

    store: ExecutionStore
    owner: str
    clock: Callable[[], datetime] = utc_now
    every_s: float = BEAT_EVERY_S

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat, and go on beating until the block ends.

        Raises:
            CountersignError: the store cannot be written; the block is not entered.
        """
        self.store.beat(self.owner, self.clock())
        ended = threading.Event()
        heart = threading.Thread(target=self._beat_until, args=(ended,), name="heartbeat", daemon=True)
        heart.start()
        try:
            yield
        finally:
            ended.set()
            heart.join()

    def _beat_until(self, ended: threading.Event) -> None:
        while not ended.wait(self.every_s):
            with suppress(CountersignError):  # busy for a moment: the next one may get through
                self.store.beat(self.owner, self.clock())
