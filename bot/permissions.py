"""What the bot must be allowed, in the form that each cloud takes: nothing beyond what the playbooks' actions declare.

AWS: a policy with statements per phase and kind of resource, so that a role can be given the right to plan only. Google Cloud: a custom
role as `gcloud iam roles create --file` reads it. Azure: a role definition as `az role definition create` reads it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from remediation.actions.aws.action import ANY, AwsAction
from remediation.actions.aws.templates import template_scopes
from remediation.actions.contract import Action

JsonObject = dict[str, object]
Actions = Sequence[Action[Any]]
# IAM counts a managed policy without its white space (IAM User Guide, "IAM and AWS STS quotas").
LONGEST_AWS_POLICY = 6144
SUBSCRIPTION_PLACEHOLDER = "/subscriptions/YOUR-SUBSCRIPTION-ID"
_VERSION = "2012-10-17"


def build_aws_policy(actions: Actions, *, plan_only: bool = False) -> JsonObject:
    """Return the IAM policy document for actions on AWS."""
    phases = [_names("Plan", actions)]
    if not plan_only:
        phases += [_names("Apply", actions), _names("Rollback", actions)]
    statements = [one for phase, needs in phases for one in _statements(phase, needs)]
    return {"Version": _VERSION, "Statement": statements}


def build_gcp_role(actions: Actions, *, plan_only: bool = False) -> JsonObject:
    """Return the custom role for actions on Google Cloud."""
    return {
        "title": _title(plan_only),
        "description": "What the bot's playbooks need, and nothing beyond it.",
        "stage": "GA",
        "includedPermissions": _all_names(actions, plan_only=plan_only),
    }


def build_azure_role(
    actions: Actions, *, plan_only: bool = False, subscriptions: Iterable[str] = ()
) -> JsonObject:
    """Return the role definition for actions on Azure, assignable in these subscriptions."""
    scopes = [f"/subscriptions/{name}" for name in sorted(subscriptions)]
    return {
        "Name": _title(plan_only),
        "IsCustom": True,
        "Description": "What the bot's playbooks need, and nothing beyond it.",
        "Actions": _all_names(actions, plan_only=plan_only),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": scopes or [SUBSCRIPTION_PLACEHOLDER],
    }


def build_trust_policy(principal: str, *, external_id: str) -> JsonObject:
    """Return the trust policy of the roles that the bot assumes: for one principal, with an external id."""
    statement = {
        "Sid": "CountersignAssumesThis",
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {"Version": _VERSION, "Statement": [statement]}


Needs = dict[str, set[str]]


def _names(phase: str, actions: Actions) -> tuple[str, Needs]:
    """Return the permissions of a phase, by the resource each is needed on."""
    needs: Needs = {}
    for action in actions:
        for name in getattr(action.permissions, phase.lower()):
            for resource in _resources(action, name):
                needs.setdefault(resource, set()).add(name)
    everywhere = needs.get(ANY, set())
    narrowed = {where: names - everywhere for where, names in needs.items() if where != ANY}
    return phase, {where: names for where, names in {ANY: everywhere, **narrowed}.items() if names}


def _resources(action: Action[Any], name: str) -> tuple[str, ...]:
    return template_scopes(action, name) if isinstance(action, AwsAction) else (ANY,)


def _statements(phase: str, needs: Needs) -> Iterator[JsonObject]:
    taken: set[str] = set()
    for resource, names in sorted(needs.items()):
        sid = _unique(f"Countersign{phase}{_kind(resource)}", taken)
        yield {"Sid": sid, "Effect": "Allow", "Action": sorted(names), "Resource": resource}


def _kind(arn: str) -> str:
    """Name a kind of resource in letters and digits, as IAM takes them in a Sid: `OnEc2SecurityGroup`."""
    if arn == ANY:
        return ""
    service, _, _, resource = arn.split(":", 5)[2:]
    words = [service, *re.split(r"[^A-Za-z0-9]+", resource.partition("/")[0])]
    return "On" + "".join(word[:1].upper() + word[1:] for word in words)


def _unique(sid: str, taken: set[str]) -> str:
    numbered = (sid if number == 1 else f"{sid}{number}" for number in range(1, len(taken) + 2))
    free = next(name for name in numbered if name not in taken)
    taken.add(free)
    return free


def _all_names(actions: Actions, *, plan_only: bool) -> list[str]:
    needs = [action.permissions for action in actions]
    names = {name for need in needs for name in need.plan}
    if not plan_only:
        names |= {name for need in needs for name in (*need.apply, *need.rollback)}
    return sorted(names)


def _title(plan_only: bool) -> str:  # noqa: FBT001 - private
    return "Countersign (plan only)" if plan_only else "Countersign"
