"""Encrypt new EBS volumes of a region by default."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.errors import aws_errors, request_id
from remediation.actions.aws.places import require_region, settle
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ActionPlan, State, Target

# A bare number, or as Security Hub, IAM, S3 and Prowler write an account; or a volume, whose region is meant.
_NAMES = (
    r"(?P<account>\d{12})",
    r"AWS::::Account:(?P<account>\d{12})",
    r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):root",
    r"arn:aws[a-z-]*:ec2:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):volume(?:/(?P<volume>vol-[0-9a-f]{8,17}))?",
)
_SETTING = "EbsEncryptionByDefault"
_PAGE = {"PageSize": 500}
_MOST_NAMED = 5


class EnableEbsEncryption(AwsAction[Params]):
    """Turn on a region's default encryption of EBS volumes.

    Volumes and snapshots made from then on are encrypted. Those that exist stay as they are: each would have to be copied and swapped
    while its instance is stopped, which the plan describes and leaves to people.

    Example:
        ```yaml
        action_name: encrypt_new_volumes
        action_type: aws
        params:
          service: ec2
          action: enable-ebs-encryption-by-default
        ```
    """

    key = "ec2:enable-ebs-encryption-by-default"
    params_model = Params
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("ec2:GetEbsEncryptionByDefault", "ec2:GetEbsDefaultKmsKeyId", "ec2:DescribeVolumes"),
        apply=("ec2:EnableEbsEncryptionByDefault",),
        rollback=("ec2:EnableEbsEncryptionByDefault", "ec2:DisableEbsEncryptionByDefault"),
    )

    def plan(self, target: Target, params: Params) -> Draft:  # noqa: ARG002 - the contract's signature
        """Read the region's default, and which volumes it comes too late for."""
        settled = self._settle(target)
        region = self._region(settled, "plan")
        return Draft(
            target=settled,
            before=region.read_default(),
            after={_SETTING: True},
            untouched=("Existing volumes and snapshots", "The default KMS key", "Other regions"),
            notes=tuple(region.describe()),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the default as it is now."""
        return self._region(plan.target, "plan").read_default()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Turn it on."""
        return self._region(plan.target, "apply").write_default(plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Turn it off again where it was off."""
        return self._region(plan.target, "rollback").write_default(plan.before)

    def _region(self, target: Target, phase: Phase) -> "_Region":
        return _Region(self.client("ec2", target, phase), target.region)

    def _settle(self, target: Target) -> Target:
        """Return the target with the account and region whose default it is.

        Raises:
            PermanentActionError: the resource says neither, or contradicts the finding.
        """
        name = target.resource.strip()
        found = next((match.groupdict() for form in _NAMES if (match := re.fullmatch(form, name))), None)
        if found is None:
            raise PermanentActionError(
                f"“{name[:120]}” is neither an AWS account nor an EBS volume", cause=Cause.INVALID
            )
        return require_region(settle(target, account_id=found["account"], region=found.get("region") or ""))


class _Region:
    """What EC2 says about one region of the account."""

    def __init__(self, ec2: Any, name: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self._ec2 = ec2
        self._name = name

    def read_default(self) -> State:
        with aws_errors(f"read the default encryption of {self._name}"):
            return {_SETTING: bool(self._ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])}

    def write_default(self, state: State) -> tuple[str, ...]:
        with aws_errors(f"change the default encryption of {self._name}"):
            write = (
                self._ec2.enable_ebs_encryption_by_default
                if state[_SETTING]
                else self._ec2.disable_ebs_encryption_by_default
            )
            return (request_id(write()),)

    def describe(self) -> Iterator[str]:
        """Yield what an approver should know: the key, the volumes that stay plain, what no rollback undoes."""
        yield f"New volumes in {self._name} will be encrypted with {self._describe_key()}."
        yield from _describe_plain(self._read_plain())
        yield (
            "A rollback turns the default off again if it was off; volumes and snapshots made meanwhile stay encrypted."
        )

    def _describe_key(self) -> str:
        try:
            with aws_errors(f"read the default KMS key of {self._name}"):
                return f"the KMS key {self._ec2.get_ebs_default_kms_key_id()['KmsKeyId']}"
        except ActionError:
            return "the region's default KMS key, which could not be read (unknown)"

    def _read_plain(self) -> list[str] | None:
        """Return the ids of unencrypted volumes; None where they cannot be read."""
        plain = [{"Name": "encrypted", "Values": ["false"]}]
        try:
            with aws_errors(f"read the volumes of {self._name}"):
                paginator = self._ec2.get_paginator("describe_volumes")
                pages = paginator.paginate(Filters=plain, PaginationConfig=_PAGE)
                return [str(volume["VolumeId"]) for page in pages for volume in page["Volumes"]]
        except ActionError:
            return None


def _describe_plain(volumes: Sequence[str] | None) -> Iterator[str]:
    """Yield how many volumes stay plain, and how people encrypt one."""
    if volumes is None:
        yield "Which existing volumes are unencrypted could not be read; those that are stay so."
    elif volumes:
        more = f" and {len(volumes) - _MOST_NAMED} more" if len(volumes) > _MOST_NAMED else ""
        yield f"Existing unencrypted volumes, which stay so: {len(volumes)} ({', '.join(volumes[:_MOST_NAMED])}{more})."
        yield (
            "To encrypt one by hand: stop its instance, snapshot the volume, copy the snapshot with encryption, create a volume of "
            "the copy in the same zone, detach the old one, attach the new one under the same device name, start the instance, "
            "keep the old volume until all is well."
        )
    else:
        yield "No existing volume is unencrypted."
