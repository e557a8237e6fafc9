"""Forgetting processes that are long gone: each start of a program leaves a row that says when it was heard of last.

Only these rows are tidied up. Of fires none is forgotten while its schedule is there, however old: the row of a slot is what keeps a clock
that was set back from sending it again, news and digests look back to the last that was sent, however long ago that was, and a notice about
a fire is told once because the fire has a name. They go with their schedule.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from remediation.watch import Watch
from storage.owners import SqlOwners


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets owners that were silent for a month by what they said, and have been while this process listened. Safe between threads."""

    owners: SqlOwners
    watch: Watch = field(default_factory=Watch)

    def waiting(self, now: datetime) -> Iterator[str]:
        """Listen, and yield the names of those that can be forgotten; every few seconds."""
        silent = self.owners.long_silent(now)
        self.watch.look(silent)
        return (owner for owner, said in silent.items() if self.watch.has_lost(owner, said))

    def forget(self, owner: str, now: datetime) -> None:
        """Forget one, unless it has spoken meanwhile, or has something under way."""
        said = self.owners.long_silent(now).get(owner)
        if said is not None and self.watch.has_lost(owner, said):
            self.owners.forget(owner, said)
