"""Replace a user's access key by a new one that is stored and proven before the old one stops working."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.clients import AwsClients
from remediation.actions.aws.iam_new_key import WAITS_S, make_key
from remediation.actions.aws.iam_rotation import OLD, Rotation, half_ways, half_ways_back, only_active_key
from remediation.actions.aws.iam_users import ACTIVE, INACTIVE, IamUser, place_user, user_name
from remediation.actions.aws.secret_store import CURRENT, PREVIOUS, SecretStore, version_of
from remediation.actions.contract import Draft, HalfWay, Params, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

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
        old = only_active_key(work.user)
        work.store.refuse_unfit()
        before = work.read(old.key_id)
        return Draft(
            target=placed,
            before=before,
            after=work.wanted(old.key_id, before),
            tags=work.user.tags,
            untouched=(
                "The user, its policies, groups and password",
                "The old key itself: deleting it is another step",
            ),
            notes=(
                f"Key {old.key_id}, made {old.created:%Y-%m-%d}, {work.user.describe_use(old.key_id)}",
                "Whatever still uses that key stops working once it is inactive",
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
        new = work.proven_key(old) or self._make(work, plan)
        handed_out = work.store.make_current(version_of(new))
        work.user.set_status(old, INACTIVE)
        return (handed_out,) if handed_out else ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Old key active, its value handed out, new key deleted, labels back; the secret deleted, where there was none.

        The new key's version keeps a label until the key is gone: it is what shows another process whose key that is.
        """
        work, old = self._planned(plan, "rollback"), _old_key(plan)
        work.refuse_unknown_key(old)
        new, done = work.stored_key(old), []
        work.user.set_status(old, ACTIVE)
        current, previous = (plan.before[work.label(name)] for name in (CURRENT, PREVIOUS))
        if current is not ABSENT:
            done.append(work.store.hand_back(str(current)))
        if new is not None:
            work.user.delete_key(new)
        if current is ABSENT:
            done.append(work.store.delete_if_ours())
        else:
            work.store.restore_previous(_text(previous))
        return tuple(filter(None, done))

    def half_ways(self, plan: ActionPlan) -> tuple[HalfWay, ...]:
        """Return what a rotation leaves once the new key is stored: the version of the secret is named after the key."""
        return half_ways(plan, _secret_of(plan)) if plan.is_needed else ()

    def half_ways_back(self, plan: ActionPlan) -> tuple[State, ...]:
        """Return what a rollback leaves before the new key is deleted."""
        return half_ways_back(plan, _secret_of(plan)) if plan.is_needed else ()

    def _make(self, work: Rotation, plan: ActionPlan) -> str:
        """Make the new key; where that fails, leave the secret as it was."""
        has_to_create = plan.before[work.label(CURRENT)] is ABSENT
        try:
            if has_to_create and work.store.stages() is None:
                work.store.create()
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

    def _planned(self, plan: ActionPlan, phase: Phase) -> Rotation:
        return self._work(plan.target, RotateKeyParams.model_validate(plan.params), phase)

    def _work(self, target: Target, params: RotateKeyParams, phase: Phase) -> Rotation:
        secret = _secret_name(params, target)

        def scope(permission: str, target: Target) -> str:
            if permission.startswith("secretsmanager:"):
                # Secrets Manager puts six characters of its own after the name.
                return self.scope(permission, target).removesuffix("*") + f"{secret}-??????"
            return self.scope(permission, target)

        clients = {
            name: self.client(name, target, phase, scope=scope) for name in ("iam", "secretsmanager", "sts")
        }
        user, store = IamUser(clients["iam"], target), SecretStore(clients["secretsmanager"], secret)
        # IAM knows no token for keys: one that is asked for twice is made twice, and nobody has seen the first one's secret.
        return Rotation(
            {**clients, "iam": self.client("iam", target, phase, scope=scope, once=True)}, user, store
        )

    def scope(self, permission: str, target: Target) -> str:
        """Return the user's ARN, or the account's secrets.

        Raises:
            PermanentActionError: the resource is no user.
        """
        user_name(target.resource)
        arn = Arn.parse(target.resource)
        if arn and permission.startswith("secretsmanager:"):
            return f"arn:{arn.partition}:secretsmanager:{target.region}:{arn.account}:secret:*"
        return "*" if permission == "iam:GetAccessKeyLastUsed" else target.resource


def _secret_name(params: RotateKeyParams, target: Target) -> str:
    name = params.SecretName.replace("{user}", user_name(target.resource))
    if not _SECRET_NAME.fullmatch(name):
        raise PermanentActionError(f"“{name[:120]}” cannot be the name of a secret", cause=Cause.INVALID)
    return name


def _secret_of(plan: ActionPlan) -> str:
    return _secret_name(RotateKeyParams.model_validate(plan.params), plan.target)


def _old_key(plan: ActionPlan) -> str:
    return next(name for name in plan.before if name.startswith(OLD)).removeprefix(OLD)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
