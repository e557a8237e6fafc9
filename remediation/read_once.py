"""A directory that is read once for a decision about many things."""

from dataclasses import dataclass, field

from audit.actor import Actor
from remediation.ports import Directory, Person


@dataclass(slots=True)
class ReadOnce:
    """Reads each person at the first question and answers every later one alike. Made for one decision, then thrown away.

    `groups` holds all groups that any question will be about, so that the one reading answers them all.
    """

    directory: Directory
    groups: frozenset[str]
    _read: dict[Actor, Person] = field(default_factory=dict)

    def look_up(self, actor: Actor, *, groups: frozenset[str]) -> Person:
        """Return the person behind an actor; see `Directory.look_up`."""
        if not groups <= self.groups:
            return self.directory.look_up(actor, groups=groups)
        if actor not in self._read:
            self._read[actor] = self.directory.look_up(actor, groups=self.groups)
        return self._read[actor]
