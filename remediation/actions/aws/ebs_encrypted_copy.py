"""Prepare an encrypted copy of an EBS volume, ready for people to swap in."""

import re
from dataclasses import replace

from pydantic import Field

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import ANY, AwsAction, partition
from remediation.actions.aws.ebs_copies import COPY, SNAPSHOT, VOLUME, Copies, Source
from remediation.actions.aws.places import require_region, settle
from remediation.actions.contract import Draft, Params, Permissions, Phase, show_value
from remediation.plan import ABSENT, ActionPlan, State, Target

_VOLUME = re.compile(
    r"(?:arn:aws[a-z-]*:ec2:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):volume/)?(?P<volume>vol-[0-9a-f]{8,17})"
)
_KEY = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"
_KMS = (
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class EncryptedCopyParams(Params):
    """With which key, and how long to wait for each of the snapshots and the volume to be ready.

    Without a key, the region's default key for EBS.
    """

    kms_key_id: str | None = Field(default=None, pattern=_KEY)
    wait_minutes: int = Field(default=30, ge=1, le=240)


class PrepareEncryptedCopy(AwsAction[EncryptedCopyParams]):
    """Make a snapshot of a volume, an encrypted copy of it, and a volume of that copy beside the original.

    The original and its instance are not touched: swapping is done by people, with the instance stopped. All three are tagged with the
    original's id, by which they are found again; what an earlier attempt left is used. A rollback deletes what this made, and is
    refused once the new volume is attached.

    Example:
        ```yaml
        action_name: prepare_encrypted_copy
        action_type: aws
        params:
          service: ec2
          action: prepare-encrypted-copy
          params:
            wait_minutes: 60
        ```
    """

    key = "ec2:prepare-encrypted-copy"
    params_model = EncryptedCopyParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("ec2:DescribeVolumes", "ec2:DescribeSnapshots"),
        apply=("ec2:CreateSnapshot", "ec2:CopySnapshot", "ec2:CreateVolume", "ec2:CreateTags", *_KMS),
        rollback=("ec2:DeleteVolume", "ec2:DeleteSnapshot"),
    )

    def plan(self, target: Target, params: EncryptedCopyParams) -> Draft:
        """Read the volume, and what an earlier attempt may have left."""
        settled = self._settle(target)
        copies = self._copies(settled, "plan")
        source, before = copies.read_source(), copies.read_state(with_key=params.kms_key_id is not None)
        if source.is_encrypted:
            return Draft(
                target=settled,
                before=before,
                after=before,
                tags=source.tags,
                notes=(f"{source.volume_id} is encrypted already.",),
            )
        after = source.goal(params.kms_key_id)
        _require_usable(before, after, source)
        return Draft(
            target=settled,
            before=before,
            after=after,
            tags=source.tags,
            untouched=(
                f"Volume {source.volume_id} and its data",
                "Its instance",
                "Its tags, which are not copied",
            ),
            notes=source.describe(),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read what there is of the copy."""
        with_key = plan.params.get("kms_key_id") is not None
        return self._copies(plan.target, "plan").read_state(with_key=with_key)

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Make what is missing, one after the other, each when the one before is ready."""
        key = plan.params.get("kms_key_id")
        copies = self._copies(plan.target, "apply")
        if not plan.is_needed:
            return ()
        return copies.make(
            kms_key_id=str(key) if key else None, wait_minutes=int(str(plan.params["wait_minutes"]))
        )

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Delete what this made, the volume first; what an earlier attempt had left stays."""
        ours = [kind for kind in (VOLUME, COPY, SNAPSHOT) if plan.before.get(kind) is ABSENT]
        return self._copies(plan.target, "rollback").delete(ours)

    def scope(self, permission: str, target: Target) -> tuple[str, ...]:
        """Return the volume, and what is made or deleted: its id is not known, so all of its kind in the region. Reads have none."""
        place = f"arn:{partition(target.region)}:ec2:{target.region}"
        volumes, snapshots = f"{place}:{target.account_id}:volume", f"{place}::snapshot/*"
        known = {
            "ec2:CreateSnapshot": (f"{volumes}/{_volume_id(target)}", snapshots),
            "ec2:CopySnapshot": (snapshots,),
            "ec2:CreateVolume": (f"{volumes}/*", snapshots),
            "ec2:CreateTags": (f"{volumes}/*", snapshots),
            "ec2:DeleteVolume": (f"{volumes}/*",),
            "ec2:DeleteSnapshot": (snapshots,),
        }
        key = f"arn:{partition(target.region)}:kms:{target.region}:*:key/*"
        return known.get(permission, (key if permission in _KMS else ANY,))

    def _copies(self, target: Target, phase: Phase) -> Copies:
        once = self.client("ec2", target, phase, once=True) if phase == "apply" else None
        return Copies(self.client("ec2", target, phase), _volume_id(target), target.region, once=once)

    def _settle(self, target: Target) -> Target:
        match = _match(target)
        settled = settle(target, account_id=match["account"] or "", region=match["region"] or "")
        require_region(settled)
        return replace(settled, account_id=settled.account_id or self._clients.account_id())


def _require_usable(before: State, after: State, source: Source) -> None:
    """Let pass what is not there yet, or is as this would make it.

    Raises:
        PermanentActionError: something in the way would have to be deleted first.
    """
    in_the_way = [
        f"{kind} is {show_value(found)}"
        for kind, found in before.items()
        if found not in (ABSENT, after[kind])
    ]
    if in_the_way:
        raise PermanentActionError(
            f"An earlier copy of {source.volume_id} is in the way: {'; '.join(in_the_way)}. Use it, or delete it first",
            cause=Cause.INVALID,
        )


def _volume_id(target: Target) -> str:
    return str(_match(target)["volume"])


def _match(target: Target) -> re.Match[str]:
    match = _VOLUME.fullmatch(target.resource.strip())
    if match is None:
        raise PermanentActionError(
            f"“{target.resource[:120]}” is not an EBS volume's ARN or id", cause=Cause.INVALID
        )
    return match
