"""Replace a service account's key: the new one goes to Secret Manager, the old one is disabled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import StringConstraints

from audit.errors import ActionError, Cause, PermanentActionError, TemporaryActionError
from remediation.actions.contract import Draft, Params, Permissions
from remediation.actions.gcp.action import GcpAction, gcp_target, require_between
from remediation.actions.gcp.clients import Patience
from remediation.actions.gcp.key_proof import prove_key
from remediation.actions.gcp.names import key_of
from remediation.actions.gcp.rest import GoogleRest
from remediation.actions.gcp.service_account_keys import MOST_KEYS, Account, Secret, find_key
from remediation.plan import ABSENT, ActionPlan, State, Target

OLD, OTHER, NEW, STORED = "Key", "Other keys", "New keys", "Enabled versions of the secret"
ACCOUNT = "{account}"
_SECRET = r"^(projects/[a-z0-9.:-]{2,63}/secrets/)?(?:[A-Za-z0-9_-]|\{account\}){1,255}$"  # noqa: S105 - the pattern of a name


class RotateKeyParams(Params):
    """The secret that takes the new key: its name, or its id where it is in the account's own project. It exists already.

    `{account}` in it is the service account's name, what stands before the @ of its address: each account has a secret of its own.
    """

    secret: Annotated[str, StringConstraints(pattern=_SECRET)]


class RotateServiceAccountKey(GcpAction[RotateKeyParams]):
    """Create a key, store it as the secret's next version, prove that it works, and only then disable the old one.

    The old key is disabled, not deleted, so that it can come back. The new key is found again by elimination: it is the one
    that is neither the old one nor one of those that were there when the plan was made. Its text is never kept: it goes from
    Google's answer to Secret Manager's request. If it cannot be stored or does not work, it is deleted at once.

    Example:
        ```yaml
        action_name: rotate_service_account_key
        action_type: gcp
        params:
          service: iam
          action: rotate-service-account-key
          params:
            secret: deploy-bot-key
        ```
    """

    key = "iam:rotate-service-account-key"
    params_model = RotateKeyParams
    reversible = True
    idempotent = False
    permissions = Permissions(
        plan=("iam.serviceAccounts.list", "iam.serviceAccountKeys.list", "secretmanager.versions.list"),
        apply=(
            "iam.serviceAccountKeys.create",
            "iam.serviceAccountKeys.disable",
            "iam.serviceAccountKeys.delete",
            "secretmanager.versions.add",
            "secretmanager.versions.disable",
        ),
        rollback=(
            "iam.serviceAccountKeys.enable",
            "iam.serviceAccountKeys.delete",
            "secretmanager.versions.disable",
        ),
    )

    def plan(self, target: Target, params: RotateKeyParams) -> Draft:
        """Read the account's keys and the secret's versions."""
        named = key_of(target)
        project = self.project(named.project)
        account, old = find_key(self._rest(project), replace(named, project=project))
        secret = Secret(account.rest, _secret_name(params.secret, project, account.email))
        keys, versions = account.keys(), secret.versions()
        others = tuple(sorted(keys.keys() - {old}))
        before = _state(old, others, keys, versions)
        after = before if before[OLD] == "disabled" else _rotated(before, versions)
        if after != before and len(keys) >= MOST_KEYS:
            raise PermanentActionError(
                f"{account.email} has {len(keys)} keys, the most that Google allows: delete one that nobody uses first",
                cause=Cause.INVALID,
            )
        return Draft(
            target=gcp_target(f"{account.name}/keys/{old}", project=project),
            before=before,
            after=after,
            untouched=(f"{len(others)} other keys of {account.email}", "What the account is allowed to do"),
            notes=(
                f"Whatever still uses the key {old[:8]}… fails once it is disabled: it has to read {secret.name} by then.",
                "When the key was last used is not in this API: see the account's “Keys” page, or Policy Analyzer's activities.",
                "The old key is only disabled. Deleting it later is for good, and another decision.",
            ),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the account's keys and the secret's versions now."""
        return self._rotation(plan).read()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Make, store and prove a new key, then disable the old one."""
        rotation = self._rotation(plan)
        now = rotation.read()
        if now == plan.after:
            return ()
        if now != plan.before:
            require_between(now, plan)
            raise TemporaryActionError(
                f"Could not rotate {plan.target.resource}: it was begun already; roll it back first",
                cause=Cause.CHANGED_MEANWHILE,
            )
        rotation.hand_over(self._clients.patience, version=_added(plan))
        rotation.account.disable(rotation.old)
        return ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Enable the old key, close the secret's new version, and delete the new key."""
        rotation = self._rotation(plan)
        now = rotation.read()
        if now != plan.before:
            require_between(now, plan)
            rotation.undo(version=_added(plan))
        return ()

    def _rotation(self, plan: ActionPlan) -> "_Rotation":
        named = key_of(plan.target)
        rest = self._rest(named.project)
        return _Rotation(
            account=Account(rest, named.project, named.account),
            secret=Secret(rest, _secret_name(str(plan.params["secret"]), named.project, named.account)),
            old=named.key_id,
            others=_texts(plan.before[OTHER]),
        )

    def _rest(self, project: str) -> GoogleRest:
        rest: GoogleRest = self._clients.client("google_rest", project=project)
        return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rotation:
    """One key's rotation: everything it needs is in the plan and in Google's lists."""

    account: Account
    secret: Secret
    old: str
    others: tuple[str, ...]

    def read(self) -> State:
        return _state(self.old, self.others, self.account.keys(), self.secret.versions())

    def hand_over(self, patience: Patience, *, version: int) -> None:
        """Make a key, store it as this version and see that it works. The key's text does not outlive this function.

        Raises:
            ActionError: one of these failed; what there was of the new key has been deleted, or the text says that it is left.
        """
        key_id, key_file = self.account.create()
        stored: int | None = None
        try:
            stored = self.secret.add(key_file)
            prove_key(key_file, patience, key_id=key_id)
        except ActionError as error:
            failure = _without_history(error)
        else:
            if stored == version:
                return
            failure = TemporaryActionError(
                f"Could not store the new key as version {version} of {self.secret.name}: somebody else stored one meanwhile",
                cause=Cause.CHANGED_MEANWHILE,
            )
        del key_file
        raise self._discard(key_id, stored, failure)

    def _discard(self, key_id: str, stored: int | None, failure: ActionError) -> ActionError:
        """Delete a new key that is of no use, close its version, and return what to raise."""
        try:
            if stored is not None:
                self.secret.disable(stored)
            self.account.delete(key_id)
        except ActionError as error:
            return PermanentActionError(
                f"{failure}; and the new key {key_id} is still there: {error}",
                cause=failure.cause,
                request_id=failure.request_id,
            )
        return failure

    def undo(self, *, version: int) -> None:
        """Put everything back, the old key first, so that nobody is without one.

        Raises:
            ActionError: a step failed; those before it are done, and doing them again is harmless.
        """
        keys, versions = self.account.keys(), self.secret.versions()
        if not keys.get(self.old, True):
            self.account.enable(self.old)
        if versions.get(version):
            self.secret.disable(version)
        for key_id in _new(self.old, self.others, keys):
            self.account.delete(key_id)


def _state(
    old: str, others: tuple[str, ...], keys: Mapping[str, bool], versions: Mapping[int, bool]
) -> State:
    """Return what a rotation changes, and what tells its new key from the others; ids of new keys are left out."""
    there = {True: "enabled", False: "disabled"}
    return {
        OLD: there[keys[old]] if old in keys else ABSENT,
        OTHER: sorted(set(others) & keys.keys()),
        NEW: len(_new(old, others, keys)),
        STORED: [str(number) for number in sorted(versions) if versions[number]],
    }


def _new(old: str, others: tuple[str, ...], keys: Mapping[str, bool]) -> list[str]:
    return sorted(keys.keys() - {old, *others})


def _rotated(before: State, versions: Mapping[int, bool]) -> State:
    stored = [*_texts(before[STORED]), str(max(versions, default=0) + 1)]
    return {**before, OLD: "disabled", NEW: 1, STORED: stored}


def _added(plan: ActionPlan) -> int:
    """Return the number of the version that a plan adds."""
    (number,) = set(_texts(plan.after[STORED])) - set(_texts(plan.before[STORED]))
    return int(number)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _secret_name(written: str, project: str, email: str) -> str:
    named = written.replace(ACCOUNT, email.partition("@")[0])
    return named if "/" in named else f"projects/{project}/secrets/{named}"


def _without_history(error: ActionError) -> ActionError:
    """Return an error without the SDK's: that one holds the request, and the request the key."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
