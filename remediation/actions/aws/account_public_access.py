"""Block public access to all buckets of an account at once, and put the block back exactly as it was."""

import re
from dataclasses import replace
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.places import settle
from remediation.actions.aws.s3_public_access import FLAGS, NO_BLOCK, PublicAccessBlockParams, flags_after
from remediation.actions.contract import Draft, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

# A bare number, or as Security Hub, IAM and Prowler write it.
_NAMES = (
    r"(?P<account>\d{12})",
    r"AWS::::Account:(?P<account>\d{12})",
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):root",
    r"arn:(?P<partition>aws[a-z-]*):s3:(?P<region>[a-z0-9-]*):(?P<account>\d{12}):account",
)
# Where an account is asked whose finding names no region.
_HOMES = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_HOME = "us-east-1"


class PutAccountPublicAccessBlock(AwsAction[PublicAccessBlockParams]):
    """Set an account's public access block, which overrides what every bucket of the account allows.

    The buckets' own blocks, policies and ACLs are not written to. An account without any block is put back to having none.

    Example:
        ```yaml
        action_name: block_public_access_of_account
        action_type: aws
        params:
          service: s3control
          action: put-public-access-block
          params:
            BlockPublicAcls: true
            IgnorePublicAcls: true
            BlockPublicPolicy: true
            RestrictPublicBuckets: true
        ```
    """

    key = "s3control:put-public-access-block"
    params_model = PublicAccessBlockParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("s3:GetAccountPublicAccessBlock",),
        apply=("s3:PutAccountPublicAccessBlock",),
        rollback=("s3:PutAccountPublicAccessBlock",),
    )

    def plan(self, target: Target, params: PublicAccessBlockParams) -> Draft:
        """Read the account's block."""
        account = account_of(target)
        before = self._account(account, "plan").read_block()
        return Draft(
            target=account,
            before=before,
            after=flags_after(before, params),
            untouched=("Each bucket's own block, policy and ACL", "Objects and their ACLs"),
            notes=(
                f"This covers every bucket of account {account.account_id} in every region, those made later too.",
                "A bucket that is public on purpose, such as a website's, will refuse its visitors.",
            ),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the block as it is now."""
        return self._account(plan.target, "plan").read_block()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the block."""
        return self._account(plan.target, "apply").write_block(plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the block as it was, or delete it where there was none."""
        account = self._account(plan.target, "rollback")
        if all(plan.before[flag] is ABSENT for flag in FLAGS):
            return account.delete_block()
        return account.write_block(plan.before)

    def _account(self, target: Target, phase: Phase) -> "_Account":
        return _Account(self.client("s3control", target, phase), target.account_id)


class _Account:
    """The block of one account; S3 refuses who belongs to another."""

    def __init__(self, s3control: Any, account_id: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self._s3control = s3control
        self._id = account_id

    def read_block(self) -> State:
        """Return the four switches, each None where the account has no block at all."""
        with aws_errors(f"read the public access block of account {self._id}"):
            try:
                answer = self._s3control.get_public_access_block(AccountId=self._id)
            except self._s3control.exceptions.ClientError as error:
                if error_code(error) != NO_BLOCK:
                    raise
                return dict.fromkeys(FLAGS, ABSENT)
        block = answer["PublicAccessBlockConfiguration"]
        return {flag: bool(block.get(flag, False)) for flag in FLAGS}

    def write_block(self, state: State) -> tuple[str, ...]:
        with aws_errors(f"write the public access block of account {self._id}"):
            response = self._s3control.put_public_access_block(
                AccountId=self._id,
                PublicAccessBlockConfiguration={flag: bool(state[flag]) for flag in FLAGS},
            )
        return (request_id(response),)

    def delete_block(self) -> tuple[str, ...]:
        with aws_errors(f"delete the public access block of account {self._id}"):
            return (request_id(self._s3control.delete_public_access_block(AccountId=self._id)),)


def account_of(target: Target) -> Target:
    """Return the target of a resource that is an account. The setting has no region; any of the partition answers.

    Raises:
        PermanentActionError: it is no account, or another one than the finding says.
    """
    name = target.resource.strip()
    found = next((match.groupdict() for form in _NAMES if (match := re.fullmatch(form, name))), None)
    if found is None:
        raise PermanentActionError(f"“{name[:120]}” is not an AWS account", cause=Cause.INVALID)
    settled = settle(target, account_id=found["account"])
    home = _HOMES.get(found.get("partition", ""), _HOME)
    return replace(settled, region=settled.region or found.get("region") or home)
