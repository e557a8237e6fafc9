"""Who has fallen silent, by this process's own count of seconds.

A process says that it is alive by writing down the time. Which time that is does not matter here, only that it became another one: no
clock on a wall decides who is dead, be it ours or another machine's, set forward, set back, or wrong all the time. What counts is how
long nothing new came while this process was looking. So a pause that it shared with the others (a laptop that was suspended, a machine
that was stopped) is no silence of theirs: between two looks only a few seconds count, whatever lay between them.

The price is that a process which has just started has to listen for as long as everybody else before it may take anything over.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from remediation.ports import OWNER_LOST_AFTER

# Between two looks at most so much counts as silence; longer than a sweep takes where nothing is wrong.
LONGEST_LOOK_S = 10.0


class _Silence(NamedTuple):
    """What an owner said last, and for how many seconds it has said nothing else."""

    said: datetime
    lasted_s: float


class Watch:
    """Listens to the owners of what is under way. Safe between threads.

    Args:
        ticks: seconds that no setting of a clock moves; from any beginning.
    """

    def __init__(self, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._looked_at = ticks()
        self._silences: Mapping[str, _Silence] = {}
        self._lock = threading.Lock()

    def look(self, heard: Mapping[str, datetime]) -> None:
        """Take note of what owners said last; every few seconds."""
        with self._lock:
            now = self._ticks()
            passed_s = min(now - self._looked_at, LONGEST_LOOK_S)
            self._silences = {owner: self._listen(owner, said, passed_s) for owner, said in heard.items()}
            self._looked_at = now

    def has_lost(self, owner: str, last_heard: datetime | None) -> bool:
        """Tell whether an owner has said nothing since `last_heard` for `OWNER_LOST_AFTER`; one who never said anything is lost."""
        if last_heard is None:
            return True
        silence = self._silences.get(owner)
        return (
            silence is not None
            and silence.said == last_heard
            and silence.lasted_s >= OWNER_LOST_AFTER.total_seconds()
        )

    def _listen(self, owner: str, said: datetime, passed_s: float) -> _Silence:
        before = self._silences.get(owner)
        if before is None or before.said != said:
            return _Silence(said, 0.0)
        return _Silence(said, before.lasted_s + passed_s)
