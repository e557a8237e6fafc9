"""How far a rotation is: read from a user's keys and from a secret's labels, without any memory of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.iam_users import ACTIVE, INACTIVE, AccessKey, IamUser
from remediation.actions.aws.secret_store import (
    CURRENT,
    NO_VALUE,
    PREVIOUS,
    UNPROVEN,
    SecretStore,
    version_of,
)
from remediation.actions.contract import HalfWay
from remediation.plan import ABSENT, ActionPlan, State

NEW = "new key"
OLD = "key "
_UNPROVEN = "not proven"
_NOBODY_PROVES = (
    "The new key is stored, but was never proven, and its secret is known to nobody who could prove it now"
)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A user, and the secret that their key goes into."""

    clients: dict[str, Any]
    user: IamUser
    store: SecretStore

    def label(self, name: str) -> str:
        return _label(name, self.store.name)

    def read(self, old: str) -> State:
        keys, stages = self.user.access_keys(), self.store.stages()
        status = next((key.status for key in keys if key.key_id == old), ABSENT)
        others = [key for key in keys if key.key_id != old]
        new = dict.fromkeys((version_of(key.key_id) for key in others), NEW)
        current = ABSENT if stages is None else stages.get(CURRENT, NO_VALUE)
        previous = (stages or {}).get(PREVIOUS, ABSENT)
        return {
            f"{OLD}{old}": status,
            NEW: self._name_others(others, stages or {}),
            self.label(CURRENT): new.get(str(current), current),
            self.label(PREVIOUS): new.get(str(previous), previous),
        }

    def wanted(self, old: str, before: State) -> State:
        current = before[self.label(CURRENT)]
        return {
            f"{OLD}{old}": INACTIVE,
            NEW: _stored(self.store.name),
            self.label(CURRENT): NEW,
            self.label(PREVIOUS): current,
        }

    def stored_key(self, old: str) -> str | None:
        """Return the key that a version of the secret was made for, beside the old one."""
        versions = set((self.store.stages() or {}).values())
        others = (key.key_id for key in self.user.access_keys() if key.key_id != old)
        return next((key_id for key_id in others if version_of(key_id) in versions), None)

    def proven_key(self, old: str) -> str | None:
        """Return the stored key, if it was proven as well.

        Raises:
            PermanentActionError: it was stored and not proven, and its secret is known to nobody who could prove it now.
        """
        new = self.stored_key(old)
        if new and (self.store.stages() or {}).get(UNPROVEN) == version_of(new):
            raise PermanentActionError(
                f"The new key {new} of {self.user.name} is stored, but was never proven: roll this back, then request it again",
                cause=Cause.NOT_VERIFIED,
            )
        return new

    def refuse_unknown_key(self, old: str) -> None:
        """Refuse to delete a key that nothing shows to be the one we made.

        Raises:
            PermanentActionError: there is one; says which.
        """
        known = {old, self.stored_key(old)}
        for key in self.user.access_keys():
            if key.key_id not in known:
                raise PermanentActionError(
                    f"Access key {key.key_id} of {self.user.name}, made {key.created:%Y-%m-%d %H:%M} UTC, is not in the "
                    f"secret {self.store.name}, so nothing shows whose it is. If nobody else made it, delete it by hand",
                    cause=Cause.NOT_VERIFIED,
                )

    def _name_others(self, others: Sequence[AccessKey], stages: Mapping[str, str]) -> str | None:
        if not others:
            return ABSENT
        return ", ".join(self._name(key, stages) for key in others)

    def _name(self, key: AccessKey, stages: Mapping[str, str]) -> str:
        version = version_of(key.key_id)
        if version not in stages.values():
            return f"{key.key_id}, not stored in {self.store.name}"
        flaws = [_UNPROVEN] if stages.get(UNPROVEN) == version else []
        flaws += [key.status] if key.status != ACTIVE else []
        return _stored(self.store.name, *flaws)


def half_ways(plan: ActionPlan, secret: str) -> tuple[HalfWay, ...]:
    """Return the states of a rotation from the moment that the secret shows whose the new key is; before that nothing does."""
    current, previous = _label(CURRENT, secret), _label(PREVIOUS, secret)
    had = plan.before[current]
    stored = {
        **plan.before,
        NEW: _stored(secret, _UNPROVEN),
        current: NO_VALUE if had is ABSENT else had,
    }
    handed_out = {**stored, current: NEW, previous: had}
    return (
        HalfWay(stored, why_not=_NOBODY_PROVES),
        HalfWay(handed_out, why_not=_NOBODY_PROVES),
        HalfWay({**handed_out, NEW: _stored(secret)}),
    )


def half_ways_back(plan: ActionPlan, secret: str) -> tuple[State, ...]:
    """Return the states of a rollback whose labels are on their way back, while the new key still shows whose they are."""
    if plan.before[_label(CURRENT, secret)] is ABSENT:
        return ()
    back = {**plan.before, _label(PREVIOUS, secret): NEW}
    return ({**back, NEW: _stored(secret)}, {**back, NEW: _stored(secret, _UNPROVEN)})


def _label(name: str, secret: str) -> str:
    return f"{name} of {secret}"


def _stored(secret: str, *flaws: str) -> str:
    return ", ".join([f"stored in {secret}", *flaws])


def only_active_key(user: IamUser) -> AccessKey:
    """Return the one key of a user that can be rotated.

    Raises:
        PermanentActionError: there is none, it is inactive, or there are two.
    """
    keys = user.access_keys()
    if len(keys) == 1 and keys[0].status == ACTIVE:
        return keys[0]
    if len(keys) <= 1:
        what = f"its only key {keys[0].key_id} is inactive" if keys else "it has no access key"
        raise PermanentActionError(f"Nothing to rotate for {user.name}: {what}", cause=Cause.INVALID)
    named = "; ".join(f"{key.key_id} ({key.status}, {user.describe_use(key.key_id)})" for key in keys)
    raise PermanentActionError(
        f"{user.name} has two access keys, the most that AWS allows, so there is no room for a new one: {named}. "
        "Delete the one that nothing uses, then request this again",
        cause=Cause.INVALID,
    )
