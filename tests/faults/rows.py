"""What the matrices run: every action, and by name each write that it takes to do it and to put it back.

The order is the one in which they happen. An action that makes one more call than is written here fails its row.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from remediation.actions.aws.raw_call import raw_call
from remediation.actions.contract import Action
from remediation.actions.manual import ByHand
from remediation.actions.notification import Notify
from remediation.actions.registry import ActionRegistry
from remediation.actions.script import RunScript
from remediation.actions.script_folder import ScriptFolder
from remediation.plan import ActionPlan, Target
from remediation.playbook import PlaybookAction
from tests.contract.cases import (
    aws_account_public_access,
    aws_ebs,
    aws_identity,
    aws_logging,
    aws_s3_public_access,
    aws_security_group,
    azure,
    gcp_compute,
    gcp_key_rotation,
    gcp_storage,
)
from tests.contract.cases.contract import ActionCase, OneClient
from tests.fakes.switches import Switch, Switchboard
from tests.faults.dying import Fate


@dataclass(frozen=True, slots=True)
class Row:
    """An action with its writes. `back` is empty for what cannot be put back.

    Where a run dies at one of the moments `by_hand`, and where a rollback dies at one of `back_by_hand`, something is left whose settings
    are neither as before nor as planned. Nothing shows them to be ours, and a person has to set them back. Where it dies at one of
    `half_done`, they are known to be ours: it does not go on, and is put back.
    """

    kind: type[ActionCase]
    writes: tuple[str, ...]
    back: tuple[str, ...] = ()
    by_hand: tuple[int, ...] = ()
    half_done: tuple[int, ...] = ()
    back_by_hand: tuple[int, ...] = ()


class FileBoard(Switchboard):
    """A switchboard in a file, so that it outlives who switches."""

    def __init__(self, path: Path, fate: Fate | None = None) -> None:
        super().__init__()
        self.path = path
        self.fate = fate

    def read(self, name: str) -> object:
        return json.loads(self.path.read_text())[name]

    def write(self, name: str, value: object) -> None:
        def switch() -> None:
            self.path.write_text(json.dumps({**json.loads(self.path.read_text()), name: value}))

        self.fate.write(f"{name}={value}", switch) if self.fate else switch()


class LocalCase(ActionCase):
    """What lies in a folder of the test's own."""

    states: Mapping[str, object] = {"as it was": None}
    unsettled = "as it was"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("tmp_path"))

    def target(self) -> Target:
        return Target(provider="board", resource="board/door", account_id="1")

    def set_state(self, name: str) -> None:
        """Leave it as it was made."""

    def read_raw(self) -> object:
        return None

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return ActionRegistry([self.acting(wrap(None)._fate if wrap else Fate(self.folder / "nobody"))])

    def acting(self, fate: Fate) -> Action[Any]:
        """Return the action, in whose write the process may die."""
        raise NotImplementedError


class SwitchCase(LocalCase):
    """One switch."""

    written = PlaybookAction("close_door", "switch", {"name": "door", "to": "closed"})

    @property
    def path(self) -> Path:
        return self.folder / "board.json"

    def set_state(self, name: str) -> None:
        self.path.write_text(json.dumps({"door": "open"}))

    def read_raw(self) -> object:
        return json.loads(self.path.read_text())

    def acting(self, fate: Fate) -> Action[Any]:
        return Switch(FileBoard(self.path, fate))


class ScriptCase(LocalCase):
    """A script of the one folder."""

    written = PlaybookAction("run_it", "script", {"script": "fix.sh"})

    def set_state(self, name: str) -> None:
        path = self.folder / "scripts" / "fix.sh"
        path.parent.mkdir(mode=0o755)
        path.write_text("#!/bin/sh\ncat > /dev/null\n")
        path.chmod(0o755)

    def acting(self, fate: Fate) -> Action[Any]:
        class MortalScript(RunScript):
            def apply(self, plan: ActionPlan) -> tuple[str, ...]:
                done: tuple[str, ...] = fate.write("script", lambda: RunScript.apply(self, plan))
                return done

        return MortalScript(ScriptFolder(folder=self.folder / "scripts"))


class MessageCase(LocalCase):
    """A message to a channel."""

    written = PlaybookAction(
        "tell", "notification", {"type": "slack", "channel": "#alerts", "message": "Closed"}
    )

    def acting(self, fate: Fate) -> Action[Any]:
        class Channel:
            def post(self, channel: str, text: str) -> str:
                fate.write("message", lambda: None)
                return "1.1"

        return Notify(Channel(), {})


class ByHandCase(LocalCase):
    """Steps that a person does."""

    written = PlaybookAction("by_hand", "manual", {"steps": ["Turn it off."]})

    def acting(self, fate: Fate) -> Action[Any]:
        return ByHand()


class RawCallCase(aws_s3_public_access.S3PublicAccessCase):
    """A call that the configuration allows by its name; nobody knows how to read or undo what it does."""

    states = {"as it was": None}
    unsettled = "as it was"

    @property
    def written(self) -> PlaybookAction:  # type: ignore[override] - the parameters name the bucket
        tags = {"TagSet": [{"Key": "seen", "Value": "yes"}]}
        params = {"Bucket": self.bucket, "Tagging": tags}
        return PlaybookAction(
            "tag", "aws", {"service": "s3", "action": "put-bucket-tagging", "params": params}
        )

    def set_state(self, name: str) -> None:
        """Leave the bucket without tags."""

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        client = OneClient(wrap(self.s3) if wrap else self.s3)
        return ActionRegistry([], [raw_call(client, "s3:put-bucket-tagging")])


BLOCK = ("put_public_access_block",)
AUTHORIZE, REVOKE = "authorize_security_group_ingress", "revoke_security_group_ingress"
LABEL = "update_secret_version_stage"
PUT = ("begin_create_or_update",)
KEYS, VERSIONS = "projects.serviceAccounts.keys", "projects.secrets"

ROWS = {
    "switch": Row(SwitchCase, ("door=closed",), ("door=open",)),
    "script": Row(ScriptCase, ("script",)),
    "message": Row(MessageCase, ("message",)),
    "by hand": Row(ByHandCase, ()),
    "raw call": Row(RawCallCase, ("put_bucket_tagging",)),
    "bucket": Row(aws_s3_public_access.S3PublicAccessCase, BLOCK, BLOCK),
    "account": Row(aws_account_public_access.AccountPublicAccessCase, BLOCK, BLOCK),
    "EBS default": Row(
        aws_ebs.EbsDefaultEncryptionCase,
        ("enable_ebs_encryption_by_default",),
        ("disable_ebs_encryption_by_default",),
    ),
    "EBS copy": Row(
        aws_ebs.EncryptedCopyCase,
        ("create_snapshot", "copy_snapshot", "create_volume"),
        ("delete_volume", "delete_snapshot", "delete_snapshot"),
    ),
    "three rules": Row(aws_security_group.SecurityGroupCase, (REVOKE,) * 3, (AUTHORIZE,) * 3),
    "rules replaced": Row(
        aws_security_group.ReplacedAccessCase,
        (AUTHORIZE, AUTHORIZE, REVOKE, REVOKE),
        (AUTHORIZE, AUTHORIZE, REVOKE, REVOKE),
    ),
    "bucket logging": Row(aws_logging.BucketLoggingCase, ("put_bucket_logging",), ("put_bucket_logging",)),
    "start logging": Row(aws_logging.StartLoggingCase, ("start_logging",), ("stop_logging",)),
    "create trail": Row(
        aws_logging.CreateTrailCase,
        ("create_trail", "start_logging"),
        ("delete_trail",),
    ),
    "VPC flow logs": Row(aws_logging.FlowLogsCase, ("create_flow_logs",), ("delete_flow_logs",)),
    "MFA group": Row(aws_identity.MfaGroupCase, ("add_user_to_group",), ("remove_user_from_group",)),
    "access key": Row(
        aws_identity.RotateKeyCase,
        ("create_access_key", "put_secret_value", LABEL, LABEL, "update_access_key"),
        ("update_access_key", LABEL, "delete_access_key", LABEL),
        # A key that is not stored yet; one that is stored and not proven; labels on their way back, when the key is gone.
        by_hand=(5, 6),
        half_done=(7, 8, 9, 10),
        back_by_hand=(9, 10),
    ),
    "Google firewall": Row(gcp_compute.FirewallRestrictionCase, ("firewalls.patch",), ("firewalls.patch",)),
    "Google firewall logging": Row(
        gcp_compute.FirewallLoggingCase, ("firewalls.patch",), ("firewalls.patch",)
    ),
    "Google flow logs": Row(gcp_compute.FlowLogsCase, ("subnetworks.patch",), ("subnetworks.patch",)),
    "Google bucket": Row(
        gcp_storage.PublicBucketCase,
        ("buckets.patch", "buckets.setIamPolicy"),
        ("buckets.patch", "buckets.setIamPolicy"),
    ),
    "Google bucket logging": Row(gcp_storage.BucketLoggingCase, ("buckets.patch",), ("buckets.patch",)),
    "Google key": Row(
        gcp_key_rotation.KeyRotationCase,
        (f"{KEYS}.create", f"{VERSIONS}.addVersion", f"{KEYS}.disable"),
        (f"{KEYS}.enable", f"{VERSIONS}.versions.disable", f"{KEYS}.delete"),
    ),
    "Azure account": Row(azure.BlobAccountCase, ("update",), ("update",)),
    "Azure container": Row(azure.BlobContainerCase, ("update",), ("update",)),
    "Azure rule denied": Row(azure.NsgRuleDenyCase, PUT, PUT),
    "Azure rule narrowed": Row(azure.NsgRuleNarrowCase, PUT, PUT),
    "Azure one rule": Row(azure.NsgOneRuleCase, PUT, PUT),
    "Azure flow logs": Row(azure.FlowLogsCase, PUT, ("begin_delete",)),
    "Azure flow logs of a region": Row(azure.FlowLogsOfARegionCase, PUT, ("begin_delete",)),
    "Azure storage key": Row(azure.StorageKeyCase, ("regenerate_key",)),
}
