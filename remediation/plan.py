"""What exactly is going to happen: the thing that is shown, signed and run.

A plan is data. Its digest covers all that an approver relies on: which resource, how it is now, how it
will be, with which parameters, by which playbook text, under which policy. Advice shown beside it
(who uses the resource, what to look out for) may change from minute to minute and is left out.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal, Self

from audit.canonical import canonical_bytes
from audit.errors import StateError

PLAN_FORMAT = 2
ABSENT = None
State = Mapping[str, object]
# What an action does to the world: changes a resource, sends people a message, or leaves the doing to a person.
Effect = Literal["change", "message", "manual"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The resource to act on: the cloud's own id, and where it lives."""

    provider: str
    resource: str
    account_id: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting: its name, its value before and after (None: not set)."""

    setting: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPlan:
    """What one action will do to one resource.

    `before` and `after` are flat mappings of setting names to JSON values without floats; None says that the
    setting is absent, which is not the same as off. `untouched` names what stays as it is; `notes` is advice.
    What has another effect than a `change` writes to no resource, so there is nothing of it to put back.
    """

    action_name: str
    action: str
    target: Target
    params: Mapping[str, object]
    before: State
    after: State
    reversible: bool
    idempotent: bool
    effect: Effect = "change"
    untouched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def changes(self) -> Iterator[Change]:
        """Yield the settings that differ, in a stable order."""
        yield from changes_between(self.before, self.after)

    @property
    def is_needed(self) -> bool:
        """Tell whether anything would change."""
        return self.before != self.after

    def signed(self) -> dict[str, object]:
        """Return the part that the digest covers."""
        return {name: getattr(self, name) for name in _SIGNED} | {"target": asdict(self.target)}

    def to_dict(self) -> dict[str, object]:
        """Return everything, for storage."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Read what `to_dict` wrote."""
        entries = dict(stored)
        target = entries.pop("target")
        if not isinstance(target, Mapping):
            raise StateError("a stored plan names no target")
        entries["untouched"] = tuple(entries.get("untouched") or ())  # type: ignore[arg-type]
        entries["notes"] = tuple(entries.get("notes") or ())  # type: ignore[arg-type]
        return cls(target=Target(**target), **entries)  # type: ignore[arg-type]


_SIGNED = (
    "action_name",
    "action",
    "target",
    "params",
    "before",
    "after",
    "reversible",
    "idempotent",
    "effect",
)


def changes_between(before: State, after: State) -> Iterator[Change]:
    """Yield each setting whose value differs between two states."""
    for setting in sorted(before.keys() | after.keys()):
        old, new = before.get(setting, ABSENT), after.get(setting, ABSENT)
        if old != new:
            yield Change(setting=setting, before=old, after=new)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an execution will do, in order, and under which rules it was drawn up.

    `playbook_version` and `policy_digest` are SHA-256 digests of the playbook's text and of the policy in force.
    """

    playbook_id: str
    playbook_version: str
    policy_digest: str
    finding_id: str
    actions: tuple[ActionPlan, ...]

    @cached_property
    def digest(self) -> str:
        """Return what an approval signs: 64 hexadecimal digits, the SHA-256 of `signed_bytes`."""
        return hashlib.sha256(self.signed_bytes()).hexdigest()

    def signed_bytes(self) -> bytes:
        """Return the canonical bytes of all that the digest covers."""
        return canonical_bytes(
            {
                "v": PLAN_FORMAT,
                "playbook_id": self.playbook_id,
                "playbook_version": self.playbook_version,
                "policy_digest": self.policy_digest,
                "finding_id": self.finding_id,
                "actions": [action.signed() for action in self.actions],
            }
        )

    @property
    def changing(self) -> tuple[ActionPlan, ...]:
        """Return the actions that write to a resource: all there is to protect, and to put back."""
        return tuple(action for action in self.actions if action.effect == "change")

    @property
    def reversible(self) -> bool:
        """Tell whether all that is written can be put back. A message cannot, and does not count: it writes nothing."""
        return bool(self.changing) and all(action.reversible for action in self.changing)

    @property
    def is_needed(self) -> bool:
        """Tell whether anything would change, or is left to a person. A message alone tells of nothing that happened."""
        telling = [action for action in self.actions if action.effect != "message"] or self.actions
        return any(action.is_needed for action in telling)

    def to_dict(self) -> dict[str, object]:
        """Return everything, for storage."""
        return {**asdict(self), "actions": [action.to_dict() for action in self.actions]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Read what `to_dict` wrote."""
        entries = dict(stored)
        actions = entries.pop("actions")
        if not isinstance(actions, list):
            raise StateError("a stored plan names no actions")
        return cls(actions=tuple(map(ActionPlan.from_dict, actions)), **entries)  # type: ignore[arg-type]
