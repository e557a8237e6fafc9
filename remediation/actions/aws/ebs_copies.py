"""An EBS volume and its encrypted copy through EC2's API: snapshot, encrypted copy of the snapshot, volume of that copy.

What is made carries a tag that names the original and its own part, by which any process finds it again. The part is in the tag's value,
because backup tools give the snapshots they make the tags of the volume: such a snapshot is then none of ours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.tags import Tags, to_tags
from remediation.plan import ABSENT, State

SNAPSHOT, COPY, VOLUME = "Snapshot", "Encrypted copy of the snapshot", "Encrypted volume"
TAG = "countersign:encrypted-copy-of"
_PARTS = {SNAPSHOT: "snapshot", COPY: "encrypted-snapshot", VOLUME: "encrypted-volume"}
_MADE = "made"
_GONE = frozenset({"InvalidVolume.NotFound", "InvalidSnapshot.NotFound"})
_WITH_IOPS, _WITH_THROUGHPUT = frozenset({"io1", "io2", "gp3"}), frozenset({"gp3"})
_POLL_S = 15
_POLLS_A_MINUTE = 60 // _POLL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The volume to copy. `shape` is what EC2 needs to make another like it; `places` are its instances with device names."""

    volume_id: str
    size_gib: int
    volume_type: str
    zone: str
    is_encrypted: bool
    shape: Mapping[str, object]
    places: tuple[tuple[str, str], ...]
    tags: Tags

    @classmethod
    def from_aws(cls, volume: Mapping[str, Any]) -> Self:
        """Read a volume of `DescribeVolumes`."""
        kind = str(volume["VolumeType"])
        shape: dict[str, object] = {"VolumeType": kind, "AvailabilityZone": volume["AvailabilityZone"]}
        if kind in _WITH_IOPS and volume.get("Iops"):
            shape["Iops"] = volume["Iops"]
        if kind in _WITH_THROUGHPUT and volume.get("Throughput"):
            shape["Throughput"] = volume["Throughput"]
        return cls(
            volume_id=str(volume["VolumeId"]),
            size_gib=int(volume["Size"]),
            volume_type=kind,
            zone=str(volume["AvailabilityZone"]),
            is_encrypted=bool(volume["Encrypted"]),
            shape=shape,
            places=tuple(
                (str(place["InstanceId"]), str(place["Device"])) for place in volume.get("Attachments", ())
            ),
            tags=to_tags(volume.get("Tags")),
        )

    def goal(self, kms_key_id: str | None) -> State:
        """Return the state in which the copy is ready."""
        key = f" with {kms_key_id}" if kms_key_id else ""
        volume = f"{self.size_gib} GiB {self.volume_type} in {self.zone}, encrypted{key}"
        return {SNAPSHOT: _MADE, COPY: _MADE, VOLUME: volume}

    def describe(self) -> tuple[str, ...]:
        """Say who uses the volume, how people swap it, and what a rollback costs."""
        places = [
            f"{self.volume_id} is attached to {instance} as {device}." for instance, device in self.places
        ]
        device = self.places[0][1] if self.places else "its device name"
        return (
            *places,
            "The copy holds what was on the volume when the snapshot was taken, and nothing written later: stop the instance first.",
            f"To swap by hand: stop the instance, detach {self.volume_id}, attach the new volume as {device}, start the instance.",
            "Snapshots and volume are billed until they are deleted. A rollback deletes them with everything written to them.",
        )


class Copies:
    """A volume, and what there is of its encrypted copy."""

    def __init__(self, ec2: Any, volume_id: str, region: str, *, once: Any = None) -> None:  # noqa: ANN401 - see `AwsClients`
        self._ec2 = ec2
        # EC2 knows no token for snapshots: one that is asked for twice is made twice.
        self._once = once
        self._volume_id = volume_id
        self._region = region

    def read_source(self) -> Source:
        with aws_errors(f"read the volume {self._volume_id}"):
            return Source.from_aws(self._ec2.describe_volumes(VolumeIds=[self._volume_id])["Volumes"][0])

    def read_state(self, *, with_key: bool = False) -> State:
        """Return what is there of each part; the volume's key only where a certain one was asked for."""
        volumes = [_describe_volume(volume, with_key=with_key) for volume in self._find(VOLUME)]
        snapshots = {
            kind: [_describe_snapshot(found) for found in self._find(kind)] for kind in (SNAPSHOT, COPY)
        }
        return {kind: _one(found) for kind, found in {**snapshots, VOLUME: volumes}.items()}

    def make(self, *, kms_key_id: str | None, wait_minutes: int) -> tuple[str, ...]:
        """Make what is missing; return the requests' ids."""
        source, requests = self.read_source(), list[str]()
        key = {"KmsKeyId": kms_key_id} if kms_key_id else {}
        snapshot = self._found_or_made(SNAPSHOT, {"VolumeId": self._volume_id}, requests)
        self._wait(SNAPSHOT, snapshot, wait_minutes)
        origin = {"SourceSnapshotId": snapshot, "SourceRegion": self._region}
        copy = self._found_or_made(COPY, {**origin, "Encrypted": True, **key}, requests)
        self._wait(COPY, copy, wait_minutes)
        volume = self._found_or_made(
            VOLUME, {"SnapshotId": copy, "Encrypted": True, **key, **source.shape}, requests
        )
        self._wait(VOLUME, volume, wait_minutes)
        return tuple(requests)

    def delete(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Delete what there is of these parts; return the requests' ids."""
        return tuple(
            deleted
            for kind in kinds
            for found in self._find(kind)
            if (deleted := self._delete(kind, _id_of(kind, found)))
        )

    def _found_or_made(self, kind: str, arguments: Mapping[str, object], requests: list[str]) -> str:
        if found := self._find(kind):
            return _id_of(kind, found[0])
        create = {
            SNAPSHOT: self._once.create_snapshot,
            COPY: self._once.copy_snapshot,
            VOLUME: self._ec2.create_volume,  # with a token, which the SDK makes for each call and sends with each try
        }[kind]
        resource = "volume" if kind == VOLUME else "snapshot"
        tags = [{"ResourceType": resource, "Tags": [{"Key": TAG, "Value": self._tag(kind)}]}]
        described = {} if kind == VOLUME else {"Description": f"{kind} of {self._volume_id} (Countersign)"}
        with aws_errors(f"make the {kind.lower()} of {self._volume_id}"):
            answer = create(**arguments, **described, TagSpecifications=tags)
        requests.append(request_id(answer))
        return _id_of(kind, answer)

    def _wait(self, kind: str, made: str, minutes: int) -> None:
        """Wait until it is ready. Asked for by filter, because EC2 may not know a new id at once and would call that an error."""
        waiter, field = (
            ("volume_available", "volume-id") if kind == VOLUME else ("snapshot_completed", "snapshot-id")
        )
        with aws_errors(f"wait for the {kind.lower()} of {self._volume_id}"):
            self._ec2.get_waiter(waiter).wait(
                Filters=[{"Name": field, "Values": [made]}],
                WaiterConfig={"Delay": _POLL_S, "MaxAttempts": minutes * _POLLS_A_MINUTE},
            )

    def _find(self, kind: str) -> list[Mapping[str, Any]]:
        """Return what carries a part's tag, without volumes that are on their way out."""
        tagged = [{"Name": f"tag:{TAG}", "Values": [self._tag(kind)]}]
        with aws_errors(f"look for the {kind.lower()} of {self._volume_id}"):
            if kind == VOLUME:
                volumes = self._pages("describe_volumes", "Volumes", Filters=tagged)
                return [volume for volume in volumes if volume["State"] not in {"deleting", "deleted"}]
            return self._pages("describe_snapshots", "Snapshots", Filters=tagged, OwnerIds=["self"])

    def _pages(self, operation: str, key: str, **arguments: object) -> list[Mapping[str, Any]]:
        return [
            entry for page in self._ec2.get_paginator(operation).paginate(**arguments) for entry in page[key]
        ]

    def _delete(self, kind: str, made: str) -> str:
        """Delete one; return the request's id, empty where it was gone already."""
        delete, field = (
            (self._ec2.delete_volume, "VolumeId")
            if kind == VOLUME
            else (self._ec2.delete_snapshot, "SnapshotId")
        )
        with aws_errors(f"delete {made}"):
            try:
                return request_id(delete(**{field: made}))
            except self._ec2.exceptions.ClientError as error:
                if error_code(error) not in _GONE:
                    raise
                return ""

    def _tag(self, kind: str) -> str:
        return f"{self._volume_id}/{_PARTS[kind]}"


def _id_of(kind: str, found: Mapping[str, Any]) -> str:
    return str(found["VolumeId" if kind == VOLUME else "SnapshotId"])


def _one(described: list[str]) -> object:
    if not described:
        return ABSENT
    return described[0] if len(described) == 1 else f"{len(described)} of them"


def _describe_snapshot(snapshot: Mapping[str, Any]) -> str:
    """Return `made` for what is complete or will be by itself, else EC2's word."""
    return _MADE if snapshot["State"] in {"pending", "completed"} else str(snapshot["State"])


def _describe_volume(volume: Mapping[str, Any], *, with_key: bool) -> str:
    """Return what a volume is like, in the words of `Source.goal`, and what is wrong with it."""
    key = f" with {volume.get('KmsKeyId')}" if with_key else ""
    encrypted = f"encrypted{key}" if volume["Encrypted"] else "not encrypted"
    text = f"{volume['Size']} GiB {volume['VolumeType']} in {volume['AvailabilityZone']}, {encrypted}"
    state = str(volume["State"])
    return text if state in {"creating", "available"} else f"{text}, {state}"
