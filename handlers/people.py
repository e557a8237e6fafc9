"""People remembered for a few minutes, for what is shown to them: Slack lets us read groups some twenty times a minute.

Never for a decision: those read the directory anew.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.actor import Actor
from remediation.ports import Person

REMEMBERED_FOR = timedelta(minutes=5)
_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Remembered:
    person: Person
    groups: frozenset[str]
    until: datetime


class RememberedPeople:
    """Who people were when they were last looked up, and which groups that look-up asked about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Actor, _Remembered] = {}

    def get(
        self,
        actor: Actor,
        groups: frozenset[str],
        look_up: Callable[[frozenset[str]], Person],
        *,
        now: datetime,
    ) -> Person:
        """Return a person as remembered, else as looked up now, with all of these groups asked about.

        What `look_up` raises is not remembered.
        """
        with self._lock:
            known = self._found.get(actor)
        if known is not None and known.until > now:
            if groups <= known.groups:
                return known.person
            groups |= known.groups
        fresh = _Remembered(look_up(groups), groups, now + REMEMBERED_FOR)
        with self._lock:
            self._found = {key: kept for key, kept in self._found.items() if kept.until > now}
            if len(self._found) < _MOST:
                self._found[actor] = fresh
        return fresh.person
