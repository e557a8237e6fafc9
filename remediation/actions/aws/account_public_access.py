"""Block public access to all buckets of an account at once, and put the block back exactly as it was."""

import re
from dataclasses import replace

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.partitions import HOMES
from remediation.actions.aws.places import settle
from remediation.actions.aws.public_access_block import (
    PublicAccessBlock,
    PublicAccessBlockParams,
    flags_after,
)
from remediation.actions.contract import Draft, Permissions, Phase
from remediation.plan import ActionPlan, State, Target

# A bare number, or as Security Hub, IAM and Prowler write it.
_NAMES = (
    r"(?P<account>\d{12})",
    r"AWS::::Account:(?P<account>\d{12})",
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):root",
    r"arn:(?P<partition>aws[a-z-]*):s3:(?P<region>[a-z0-9-]*):(?P<account>\d{12}):account",
)


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
        before = self._block(account, "plan").read()
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
        return self._block(plan.target, "plan").read()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the block."""
        return self._block(plan.target, "apply").write(plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the block as it was, or delete it where there was none."""
        return self._block(plan.target, "rollback").write(plan.before)

    def _block(self, target: Target, phase: Phase) -> PublicAccessBlock:
        """Return the account's block; S3 refuses who belongs to another."""
        s3control, account = self.client("s3control", target, phase), target.account_id
        return PublicAccessBlock(s3control, {"AccountId": account}, of=f"account {account}")


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
    # Where an account is asked whose finding names no region; a bare number is one of the usual partition.
    home = HOMES.get(found.get("partition", ""), HOMES["aws"])
    return replace(settled, region=settled.region or found.get("region") or home)
