"""Close a Cloud Storage bucket to the public, and open it again exactly as it was."""

import json
from collections.abc import Mapping
from typing import Any

from remediation.actions.contract import Draft, Params, Permissions
from remediation.actions.gcp.action import GcpAction, gcp_target, require_between
from remediation.actions.gcp.buckets import Buckets, bindings_of
from remediation.actions.gcp.names import bucket_of
from remediation.plan import ABSENT, ActionPlan, State, Target

PREVENTION = "Public access prevention"
EVERYBODY = ("allUsers", "allAuthenticatedUsers")
ENFORCED, INHERITED = "enforced", "inherited"
_IF = " if "


class RestrictPublicAccessParams(Params):
    """There is nothing to choose."""


class RestrictPublicAccess(GcpAction[RestrictPublicAccessParams]):
    """Enforce a bucket's public access prevention, and take `allUsers` and `allAuthenticatedUsers` out of its IAM policy.

    Everybody else's roles stay, conditions included. Uniform bucket-level access is not switched on: that would end
    the objects' own ACLs, and Google takes it back for 90 days only. While the prevention is enforced those ACLs open
    nothing to the public. On the way back the prevention goes first: Google refuses public members while it is on.

    Example:
        ```yaml
        action_name: restrict_public_access
        action_type: gcp
        params:
          service: storage
          action: restrict-public-access
        ```
    """

    key = "storage:restrict-public-access"
    params_model = RestrictPublicAccessParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("storage.buckets.get", "storage.buckets.getIamPolicy", "storage.buckets.list"),
        apply=("storage.buckets.update", "storage.buckets.setIamPolicy"),
        rollback=("storage.buckets.update", "storage.buckets.setIamPolicy"),
    )

    def plan(self, target: Target, params: RestrictPublicAccessParams) -> Draft:  # noqa: ARG002 - nothing to choose
        """Read who may read the bucket."""
        named = bucket_of(target)
        owned = gcp_target(named.name, project=self.project(named.project))
        buckets = self._buckets(owned)
        buckets.require_owner(named.name, owned)
        bucket = buckets.read(named.name)
        return Draft(
            target=owned,
            before=_state(bucket, buckets.policy(bucket)),
            after={PREVENTION: ENFORCED, **dict.fromkeys(EVERYBODY, ABSENT)},
            untouched=_describe_untouched(bucket),
            notes=_describe_visitors(bucket),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read who may read the bucket now."""
        buckets = self._buckets(plan.target)
        bucket = buckets.read(plan.target.resource)
        return _state(bucket, buckets.policy(bucket))

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Enforce the prevention, which closes the bucket at once; then take the public members out."""
        self._write(plan, plan.after)
        return ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Lift the prevention, then give the public members their roles again."""
        self._write(plan, plan.before)
        return ()

    def _write(self, plan: ActionPlan, state: State) -> None:
        """Bring the prevention, then the members to a state; what is so already is not written."""
        buckets = self._buckets(plan.target)
        bucket = buckets.read(plan.target.resource)
        policy = buckets.policy(bucket)
        now = _state(bucket, policy)
        require_between(now, plan)
        if now[PREVENTION] != state[PREVENTION]:
            bucket.iam_configuration.public_access_prevention = state[PREVENTION]
            buckets.patch(bucket)
        if any(now[member] != state[member] for member in EVERYBODY):
            policy.bindings = _with_public(policy.bindings, state)
            buckets.write_policy(bucket, policy)

    def _buckets(self, target: Target) -> Buckets:
        return Buckets(self._clients.client("gcs", project=target.account_id), self._clients.patience)


def _state(bucket: Any, policy: Any) -> State:  # noqa: ANN401 - the SDK's Bucket and Policy
    roles: dict[str, list[str]] = {}
    for member, role, condition in bindings_of(policy):
        roles.setdefault(member, []).append(_spell(role, condition))
    public = {member: sorted(roles[member]) if member in roles else ABSENT for member in EVERYBODY}
    is_enforced = bucket.iam_configuration.public_access_prevention == ENFORCED
    return {PREVENTION: ENFORCED if is_enforced else INHERITED, **public}


def _spell(role: str, condition: Mapping[str, str] | None) -> str:
    """Write a role with the condition it is given under; `_read` reads it again."""
    return f"{role}{_IF}{json.dumps(dict(condition), sort_keys=True)}" if condition else role


def _read(spelled: str) -> tuple[str, dict[str, str] | None]:
    role, _, condition = spelled.partition(_IF)
    return role, json.loads(condition) if condition else None


def _with_public(bindings: list[dict[str, Any]], state: State) -> list[dict[str, Any]]:
    """Return bindings in which `allUsers` and `allAuthenticatedUsers` have the roles of a state, and nobody else loses any."""
    kept = [{**binding, "members": set(binding.get("members", ())) - set(EVERYBODY)} for binding in bindings]
    for member in EVERYBODY:
        roles = state[member]
        for spelled in roles if isinstance(roles, list) else ():
            _grant(kept, member, *_read(str(spelled)))
    return [binding for binding in kept if binding["members"]]


def _grant(bindings: list[dict[str, Any]], member: str, role: str, condition: dict[str, str] | None) -> None:
    for binding in bindings:
        if binding["role"] == role and (binding.get("condition") or None) == condition:
            binding["members"].add(member)
            return
    added: dict[str, Any] = {"role": role, "members": {member}}
    bindings.append({**added, "condition": condition} if condition else added)


def _describe_untouched(bucket: Any) -> tuple[str, ...]:  # noqa: ANN401 - the SDK's Bucket
    is_uniform = bucket.iam_configuration.uniform_bucket_level_access_enabled
    acls = "ignored anyway" if is_uniform else "none of them opens anything to the public meanwhile"
    return (
        f"Uniform bucket-level access (stays {'on' if is_uniform else 'off'})",
        f"ACLs of the bucket and its objects ({acls})",
        "Roles of all other members",
        "Objects",
    )


def _describe_visitors(bucket: Any) -> tuple[str, ...]:  # noqa: ANN401 - the SDK's Bucket
    """Warn where visitors will notice."""
    served = bucket._properties.get("website")  # noqa: SLF001 - the SDK can set a website but not read it
    if served:
        return ("The bucket serves a website: visitors will be refused once public access is prevented.",)
    return ()
