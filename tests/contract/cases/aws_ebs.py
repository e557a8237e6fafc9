"""A region's default encryption of EBS volumes, and an encrypted copy of one volume, on moto's server."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import pytest

from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry


class EbsDefaultEncryptionCase(ActionCase):
    """The region's default, which all tests of a process share: each sets it first."""

    written = PlaybookAction(
        "encrypt", "aws", {"service": "ec2", "action": "enable-ebs-encryption-by-default"}
    )
    states: ClassVar[Mapping[str, bool]] = {"off": False, "on": True}
    unsettled = "off"

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("ec2"))

    def target(self) -> Target:
        arn = "arn:aws:ec2:us-east-1:123456789012:volume"
        return Target(provider="aws", resource=arn, account_id="123456789012", region="us-east-1")

    def set_state(self, name: str) -> None:
        if self.states[name]:
            self.ec2.enable_ebs_encryption_by_default()
        else:
            self.ec2.disable_ebs_encryption_by_default()

    def read_raw(self) -> object:
        return self.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return aws_registry(OneClient(wrap(self.ec2) if wrap else self.ec2))


class EncryptedCopyCase(ActionCase):
    """A volume with nothing, half, or all of a copy beside it, by a run that the tests make beforehand."""

    written = PlaybookAction("copy", "aws", {"service": "ec2", "action": "prepare-encrypted-copy"})
    states: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "nothing": (),
        "a snapshot": ("snapshot",),
        "both snapshots": ("snapshot", "encrypted-snapshot"),
        "all": ("snapshot", "encrypted-snapshot", "encrypted-volume"),
    }
    unsettled = "nothing"

    def __init__(self, ec2: Any, volume: str) -> None:
        self.ec2 = ec2
        self.volume = volume

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("ec2"), request.getfixturevalue("volume"))

    def target(self) -> Target:
        arn = f"arn:aws:ec2:us-east-1:123456789012:volume/{self.volume}"
        return Target(provider="aws", resource=arn, account_id="123456789012", region="us-east-1")

    def set_state(self, name: str) -> None:
        for part in self.states[name]:
            self.plant(part)

    def plant(self, part: str) -> str:
        """Make a part of the copy as the action would."""
        kind = "volume" if part == "encrypted-volume" else "snapshot"
        tag = {"Key": "countersign:encrypted-copy-of", "Value": f"{self.volume}/{part}"}
        tags = [{"ResourceType": kind, "Tags": [tag]}]
        if part == "encrypted-volume":
            made = self.ec2.create_volume(
                AvailabilityZone="us-east-1a",
                Size=8,
                VolumeType="gp3",
                Encrypted=True,
                TagSpecifications=tags,
            )
            return str(made["VolumeId"])
        return str(self.ec2.create_snapshot(VolumeId=self.volume, TagSpecifications=tags)["SnapshotId"])

    def read_raw(self) -> object:
        """Return the volume itself, and the ids of all that names it in a tag."""
        named = [{"Name": "tag-key", "Values": ["countersign:encrypted-copy-of"]}]
        volumes = self.ec2.describe_volumes(Filters=named)["Volumes"]
        snapshots = self.ec2.describe_snapshots(Filters=named, OwnerIds=["self"])["Snapshots"]
        ids = [
            made.get("VolumeId" if "Size" in made else "SnapshotId")
            for made in (*volumes, *snapshots)
            if any(tag["Value"].startswith(f"{self.volume}/") for tag in made["Tags"])
        ]
        return self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"], sorted(ids)

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return aws_registry(OneClient(wrap(self.ec2) if wrap else self.ec2))
