"""People remembered for a few minutes, for what is shown to them: Slack lets us read groups some twenty times a minute.

Never for a decision: those read the directory anew.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from audit.actor import Actor
from remediation.ports import Person

REMEMBERED_FOR = timedelta(minutes=5)
_MOST = 1000


class RememberedPeople:
    """Who people were when they were last looked up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Actor, tuple[Person, datetime]] = {}

    def get(self, actor: Actor, look_up: Callable[[], Person], *, now: datetime) -> Person:
        """Return a person as remembered, else as looked up now. What `look_up` raises is not remembered."""
        with self._lock:
            person, until = self._found.get(actor, (None, now))
        if person is not None and until > now:
            return person
        fresh = look_up()
        with self._lock:
            self._found = {key: kept for key, kept in self._found.items() if kept[1] > now}
            if len(self._found) < _MOST:
                self._found[actor] = (fresh, now + REMEMBERED_FOR)
        return fresh
