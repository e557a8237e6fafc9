"""Replace a user's access key by a new one that is stored and proven before the old one stops working."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.clients import AwsClients
from remediation.actions.aws.iam_new_key import WAITS_S, make_key
from remediation.actions.aws.iam_users import ACTIVE, INACTIVE, AccessKey, IamUser, place_user
from remediation.actions.aws.secret_store import CURRENT, NO_VALUE, PREVIOUS, SecretStore, version_of
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

NEW = "new key"
_OLD = "key "
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ROOT_BY_HAND = "sign in as root, open Security credentials, and delete the root access keys; give what used them a role of its own"


class RotateKeyParams(Params):
    """Where the new key is stored. `{user}` stands for the user's name."""

    SecretName: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/_+=.@{}-]{1,512}$")] = (
        "countersign/access-keys/{user}"
    )


class RotateAccessKey(AwsAction[RotateKeyParams]):
    """Create a new access key, store it in Secrets Manager, prove it, hand it to readers, deactivate the old one.

    The value of the secret is never read, and the new key's secret goes nowhere else. A new key that cannot be stored or
    proven is deleted at once. The old key is not deleted: a rollback makes it active again, moves the secret's
    labels back (or deletes the secret, where there was none) and deletes the new key. A user with two keys is refused.

    Example:
        ```yaml
        action_name: rotate_key
        action_type: aws
        params:
          service: iam
          action: rotate-access-key
          params:
            SecretName: acme/access-keys/{user}
        ```
    """

    key = "iam:rotate-access-key"
    params_model = RotateKeyParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:GetAccessKeyLastUsed",
            "secretsmanager:DescribeSecret",
        ),
        apply=(
            "iam:CreateAccessKey",
            "iam:UpdateAccessKey",
            "iam:DeleteAccessKey",
            "secretsmanager:CreateSecret",
            "secretsmanager:TagResource",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
            "secretsmanager:DeleteSecret",
        ),
        rollback=(
            "iam:UpdateAccessKey",
            "iam:DeleteAccessKey",
            "secretsmanager:UpdateSecretVersionStage",
            "secretsmanager:DeleteSecret",
        ),
    )

    def __init__(self, clients: AwsClients, *, waits_s: Sequence[float] = WAITS_S) -> None:
        super().__init__(clients)
        self._waits_s = waits_s

    def plan(self, target: Target, params: RotateKeyParams) -> Draft:
        """Read the user's one key, when it was last used, and what the secret holds."""
        placed = place_user(target, if_root=_ROOT_BY_HAND)
        work = self._work(placed, params, "plan")
        work.user.refuse_namesake()
        old = _only_active_key(work.user)
        work.store.refuse_unfit()
        before = work.read(old.key_id)
        return Draft(
            target=placed,
            before=before,
            after=work.wanted(old.key_id, before),
            untouched=(
                "The user, its policies, groups and password",
                "The old key itself: deleting it is another step",
            ),
            notes=(
                f"Key {old.key_id}, made {old.created:%Y-%m-%d}, {work.user.describe_use(old.key_id)}: "
                "whatever still uses it stops working once it is inactive",
                f'Readers of {work.store.name} get {{"AccessKeyId": …, "SecretAccessKey": …}}',
                "A rollback deletes the new key, so whatever has taken it up by then has to go back to the old one",
            ),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read both keys' states and where the secret's labels are."""
        return self._planned(plan, "plan").read(_old_key(plan))

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Create, store, prove, hand out, deactivate; what is done already is not done again."""
        work, old = self._planned(plan, "apply"), _old_key(plan)
        new, done = work.stored_key(old), []
        if new is None:
            new = self._make(work, plan)
        done.append(work.store.make_current(version_of(new)))
        work.user.set_status(old, INACTIVE)
        return tuple(filter(None, done))

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Old key active, labels back, new key deleted; the secret too, where there was none."""
        work, old = self._planned(plan, "rollback"), _old_key(plan)
        work.refuse_unknown_key(old)
        new, done = work.stored_key(old), []
        work.user.set_status(old, ACTIVE)
        current, previous = (plan.before[work.label(name)] for name in (CURRENT, PREVIOUS))
        if current is not ABSENT:
            done.append(work.store.restore(current=str(current), previous=_text(previous)))
        if new is not None:
            work.user.delete_key(new)
        if current is ABSENT:
            done.append(work.store.delete_if_ours())
        return tuple(filter(None, done))

    def _make(self, work: "_Work", plan: ActionPlan) -> str:
        """Make the new key; where that fails, leave the secret as it was."""
        has_to_create = plan.before[work.label(CURRENT)] is ABSENT
        if has_to_create and work.store.stages() is None:
            work.store.create()
        try:
            return make_key(work.clients, work.user, work.store.name, self._waits_s)
        except ActionError:
            self._tidy(work.store, is_new=has_to_create)
            raise

    @staticmethod
    def _tidy(store: SecretStore, *, is_new: bool) -> None:
        """Forget the version of a key that is gone. What goes wrong here shows in the state that is read next."""
        try:
            if is_new:
                store.delete_if_ours()
            else:
                store.forget_unproven()
        except ActionError:
            return

    def _planned(self, plan: ActionPlan, phase: Phase) -> "_Work":
        return self._work(plan.target, RotateKeyParams.model_validate(plan.params), phase)

    def _work(self, target: Target, params: RotateKeyParams, phase: Phase) -> "_Work":
        secret = _secret_name(params, target)

        def scope(permission: str, target: Target) -> str:
            if permission.startswith("secretsmanager:"):
                # Secrets Manager puts six characters of its own after the name.
                return self.scope(permission, target).removesuffix("*") + f"{secret}-??????"
            return self.scope(permission, target)

        clients = {
            name: self.client(name, target, phase, scope=scope) for name in ("iam", "secretsmanager", "sts")
        }
        return _Work(clients, IamUser(clients["iam"], target), SecretStore(clients["secretsmanager"], secret))

    def scope(self, permission: str, target: Target) -> str:
        """Return the user's ARN, or the account's secrets."""
        arn = Arn.parse(target.resource)
        if arn and permission.startswith("secretsmanager:"):
            return f"arn:{arn.partition}:secretsmanager:{target.region}:{arn.account}:secret:*"
        return "*" if permission == "iam:GetAccessKeyLastUsed" else target.resource


@dataclass(frozen=True, slots=True)
class _Work:
    """A user, and the secret that their key goes into."""

    clients: dict[str, Any]
    user: IamUser
    store: SecretStore

    def label(self, name: str) -> str:
        return f"{name} of {self.store.name}"

    def read(self, old: str) -> State:
        keys, stages = self.user.keys(), self.store.stages()
        status = next((key.status for key in keys if key.key_id == old), ABSENT)
        others = [key for key in keys if key.key_id != old]
        current = ABSENT if stages is None else stages.get(CURRENT, NO_VALUE)
        if any(version_of(key.key_id) == current for key in others):
            current = NEW
        return {
            f"{_OLD}{old}": status,
            NEW: self._name_others(others, stages or {}),
            self.label(CURRENT): current,
            self.label(PREVIOUS): (stages or {}).get(PREVIOUS, ABSENT),
        }

    def wanted(self, old: str, before: State) -> State:
        current = before[self.label(CURRENT)]
        return {
            f"{_OLD}{old}": INACTIVE,
            NEW: f"stored in {self.store.name}",
            self.label(CURRENT): NEW,
            self.label(PREVIOUS): current,
        }

    def stored_key(self, old: str) -> str | None:
        """Return the key that a version of the secret was made for, beside the old one."""
        versions = set((self.store.stages() or {}).values())
        others = (key.key_id for key in self.user.keys() if key.key_id != old)
        return next((key_id for key_id in others if version_of(key_id) in versions), None)

    def refuse_unknown_key(self, old: str) -> None:
        """Refuse to delete a key that nothing shows to be the one we made.

        Raises:
            PermanentActionError: there is one; says which.
        """
        known = {old, self.stored_key(old)}
        for key in self.user.keys():
            if key.key_id not in known:
                raise PermanentActionError(
                    f"Access key {key.key_id} of {self.user.name}, made {key.created:%Y-%m-%d %H:%M} UTC, is not in the "
                    f"secret {self.store.name}, so nothing shows whose it is. If nobody else made it, delete it by hand",
                    cause=Cause.NOT_VERIFIED,
                )

    def _name_others(self, others: Sequence[AccessKey], stages: Mapping[str, str]) -> str | None:
        if not others:
            return ABSENT
        return ", ".join(self._name(key, set(stages.values())) for key in others)

    def _name(self, key: AccessKey, versions: set[str]) -> str:
        if version_of(key.key_id) not in versions:
            return f"{key.key_id}, not stored in {self.store.name}"
        stored = f"stored in {self.store.name}"
        return stored if key.status == ACTIVE else f"{stored}, {key.status}"


def _only_active_key(user: IamUser) -> AccessKey:
    """Return the one key of a user that can be rotated.

    Raises:
        PermanentActionError: there is none, it is inactive, or there are two.
    """
    keys = user.keys()
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


def _secret_name(params: RotateKeyParams, target: Target) -> str:
    name = params.SecretName.replace("{user}", IamUser(None, target).name)
    if not _SECRET_NAME.fullmatch(name):
        raise PermanentActionError(f"“{name[:120]}” cannot be the name of a secret", cause=Cause.INVALID)
    return name


def _old_key(plan: ActionPlan) -> str:
    return next(name for name in plan.before if name.startswith(_OLD)).removeprefix(_OLD)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
