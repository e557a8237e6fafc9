"""Two small actions on AWS, one on a whole account and one on a person: they are real calls, and no playbook's."""

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction, partition_of
from remediation.actions.aws.errors import aws_errors, request_id
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ActionPlan, State, Target

SETTING = "EbsEncryptionByDefault"


class EncryptDisks(AwsAction[Params]):
    """Encrypts an account's new disks."""

    key = "ec2:test-encrypt-disks"
    params_model = Params
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("ec2:GetEbsEncryptionByDefault",),
        apply=("ec2:EnableEbsEncryptionByDefault",),
        rollback=("ec2:DisableEbsEncryptionByDefault",),
    )

    def plan(self, target: Target, params: Params) -> Draft:
        return Draft(target=target, before=self._read(target), after={SETTING: True})

    def observe(self, plan: ActionPlan) -> State:
        return self._read(plan.target)

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        with aws_errors("encrypt new disks"):
            return (request_id(self.client("ec2", plan.target, "apply").enable_ebs_encryption_by_default()),)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        with aws_errors("no longer encrypt new disks"):
            return (
                request_id(self.client("ec2", plan.target, "rollback").disable_ebs_encryption_by_default()),
            )

    def _read(self, target: Target) -> State:
        with aws_errors("read whether new disks are encrypted"):
            answer = self.client("ec2", target, "plan").get_ebs_encryption_by_default()
        return {SETTING: bool(answer[SETTING])}


class JoinGroup(AwsAction[Params]):
    """Puts a user into a group."""

    key = "iam:test-join-group"
    group = "second-factor"
    params_model = Params
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("iam:ListGroupsForUser",), apply=("iam:AddUserToGroup",), rollback=("iam:RemoveUserFromGroup",)
    )

    def plan(self, target: Target, params: Params) -> Draft:
        return Draft(target=target, before=self._read(target), after={"member": True})

    def observe(self, plan: ActionPlan) -> State:
        return self._read(plan.target)

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        return self._write(plan.target, "apply", "add_user_to_group")

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        return self._write(plan.target, "rollback", "remove_user_from_group")

    def scope(self, permission: str, target: Target) -> str:
        account = f"arn:{partition_of(target)}:iam::{target.account_id}"
        if permission == "iam:ListGroupsForUser":
            return f"{account}:user/{user_of(target)}"
        return f"{account}:group/{self.group}"

    def _read(self, target: Target) -> State:
        with aws_errors("read the user's groups"):
            answer = self.client("iam", target, "plan").list_groups_for_user(UserName=user_of(target))
        return {"member": self.group in {group["GroupName"] for group in answer["Groups"]}}

    def _write(self, target: Target, phase: Phase, call: str) -> tuple[str, ...]:
        with aws_errors("change the user's groups"):
            write = getattr(self.client("iam", target, phase), call)
            return (request_id(write(GroupName=self.group, UserName=user_of(target))),)


def user_of(target: Target) -> str:
    _, found, name = target.resource.partition(":user/")
    if not found:
        raise PermanentActionError(f"{target.resource} is no user", cause=Cause.INVALID)
    return name
