"""Make a user sign in with MFA: by membership in the group that denies everything else without it."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import StringConstraints

from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.iam_groups import IamGroup
from remediation.actions.aws.iam_users import ACTIVE, IamUser, place_user, user_name
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ActionPlan, State, Target

_ROOT_BY_HAND = (
    "sign in as root, open Security credentials, choose Assign MFA device, register a passkey or hardware key, and let a "
    "second person keep a second device. Member accounts of an organization: remove the root credentials centrally instead"
)
_OF_GROUPS = {
    "iam:AddUserToGroup",
    "iam:RemoveUserFromGroup",
    "iam:ListGroupPolicies",
    "iam:GetGroupPolicy",
    "iam:ListAttachedGroupPolicies",
}
_OF_POLICIES = {"iam:GetPolicy", "iam:GetPolicyVersion"}
_OF_KEYS = "iam:GetAccessKeyLastUsed"


class GroupParams(Params):
    """The group, and its path where it has one."""

    GroupName: Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{1,128}$")]
    GroupPath: Annotated[str, StringConstraints(pattern=r"^/([!-~]{1,510}/)?$")] = "/"


class AddUserToGroup(AwsAction[GroupParams]):
    """Add a user to the group that denies what is done without MFA.

    The group and its policies are the customer's own: this writes no policy. A group that denies nothing without MFA is
    refused, since joining it would prove nothing. Nobody can enrol a device for somebody else; until the user has done so,
    the group lets them do that and little more. Such a deny usually hits access keys as well, so the plan names them.

    Example:
        ```yaml
        action_name: require_mfa
        action_type: aws
        params:
          service: iam
          action: add-user-to-group
          params:
            GroupName: require-mfa
        ```
    """

    key = "iam:add-user-to-group"
    params_model = GroupParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "iam:GetUser",
            "iam:ListGroupsForUser",
            "iam:ListMFADevices",
            "iam:GetLoginProfile",
            "iam:ListAccessKeys",
            "iam:GetAccessKeyLastUsed",
            "iam:ListGroupPolicies",
            "iam:GetGroupPolicy",
            "iam:ListAttachedGroupPolicies",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
        ),
        apply=("iam:AddUserToGroup",),
        rollback=("iam:RemoveUserFromGroup",),
    )

    def plan(self, target: Target, params: GroupParams) -> Draft:
        """Read the user, the group, and what a deny without MFA would break."""
        placed = place_user(target, if_root=_ROOT_BY_HAND)
        user, group = self._both(placed, params, "plan")
        user.refuse_namesake()
        policies = group.refuse_toothless()
        groups = user.groups()
        others = [name for name in groups if name != params.GroupName]
        return Draft(
            target=placed,
            before={_setting(params): params.GroupName in groups},
            after={_setting(params): True},
            tags=user.tags,
            untouched=(
                "The user's policies, password, MFA devices and access keys",
                f"Its other groups ({', '.join(others) or 'none'})",
                f"The group's policies ({', '.join(policies)})",
            ),
            notes=tuple(_describe(user)),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read whether the user is in the group."""
        params = GroupParams.model_validate(plan.params)
        user, _ = self._both(plan.target, params, "plan")
        return {_setting(params): params.GroupName in user.groups()}

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Add the user."""
        user, group = self._both(plan.target, GroupParams.model_validate(plan.params), "apply")
        return (group.add(user.name),)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Remove the user, where they were not in the group before."""
        params = GroupParams.model_validate(plan.params)
        if plan.before[_setting(params)]:
            return ()
        user, group = self._both(plan.target, params, "rollback")
        return (group.remove(user.name),)

    def _both(self, target: Target, params: GroupParams, phase: Phase) -> tuple[IamUser, IamGroup]:
        """Return the user and the group, through a client that may change the members of this one group."""

        def scope(permission: str, target: Target) -> str:
            arn = Arn.parse(target.resource)
            if arn and permission in _OF_GROUPS:
                return f"arn:{arn.partition}:iam::{arn.account}:group{params.GroupPath}{params.GroupName}"
            return self.scope(permission, target)

        iam = self.client("iam", target, phase, scope=scope)
        return IamUser(iam, target), IamGroup(iam, params.GroupName)

    def scope(self, permission: str, target: Target) -> str:
        """Return the user's ARN, or `*` for what IAM does not know by user.

        Raises:
            PermanentActionError: the resource is no user.
        """
        user_name(target.resource)
        is_of_others = permission in _OF_GROUPS or permission in _OF_POLICIES or permission == _OF_KEYS
        return "*" if is_of_others else target.resource


def _setting(params: GroupParams) -> str:
    return f"member of {params.GroupName}"


def _describe(user: IamUser) -> Iterator[str]:
    """Say what the user signs in with today, and what will be denied."""
    devices, has_login = user.mfa_devices(), user.has_console_login()
    if devices:
        yield f"MFA devices: {', '.join(devices)}"
    else:
        yield "No MFA device: from the next call on, everything that the group denies is denied until one is enrolled"
    yield f"Console password: {'yes' if has_login else 'no; this user signs in with keys only'}"
    for key in user.access_keys():
        if key.status == ACTIVE:
            use = user.describe_use(key.key_id)
            yield f"ACTIVE ACCESS KEY {key.key_id}, {use}: programs that use it without MFA WILL BREAK"
