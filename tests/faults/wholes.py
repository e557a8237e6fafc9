"""Whole playbooks of the library to die in: those that change something, each on a resource."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediation.actions.registry import ActionRegistry
from remediation.library import PlaybookLibrary
from remediation.playbook import RemediationPlaybook
from remediation.runner import Runner
from storage import Stores
from tests.contract.backends_google import PROJECT
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
from tests.contract.cases.contract import ActionCase
from tests.contract.cases.gcp import GoogleCase
from tests.faults.dying import (
    DIED,
    Fate,
    MortalClient,
    StoppedError,
    in_child,
    make_requests_mortal,
    no_longer_mortal,
)
from tests.faults.stage import Stage

Prepare = Callable[[Any], None]


def nothing(_case: Any) -> None:
    """Prepare nothing."""


def log_bucket(service: str, *, region: str = "us-east-1") -> Prepare:
    """Let there be the bucket that the library sends logs to."""

    def prepare(case: Any) -> None:
        name = f"countersign-logs-{case.clients.account_id()}-{region}"
        case.s3.create_bucket(Bucket=name)
        aws_logging.let_in(case.s3, name, service)

    return prepare


def mfa_group(case: Any) -> None:
    """Let there be the group that the library puts people into."""
    case.set_up_group("require-mfa")


def key_secret(case: Any) -> None:
    """Keep the key where the library does."""
    case.secret = f"countersign/access-keys/{case.user}"


def google_secret(case: Any) -> None:
    """Let there be the secret that the library writes to."""
    case.cloud.secrets.add(f"projects/{PROJECT}/secrets/countersign-key-{case.name}")


class NamedGroupCase(aws_identity.MfaGroupCase):
    """A user outside the library's group."""

    def set_up_group(self, name: str) -> None:
        known = {group["GroupName"] for group in self.iam.list_groups()["Groups"]}
        if name not in known:
            self.iam.create_group(GroupName=name)
        self.iam.put_group_policy(
            GroupName=name, PolicyName="deny", PolicyDocument=aws_identity.json.dumps(aws_identity.DENY)
        )


@dataclass(frozen=True, slots=True)
class Whole:
    """A playbook of the library on a resource: which, the check that its conditions ask for, and how many of its steps apply.

    Where a run dies at one of the moments `by_hand`, a person has to set back what nothing shows to be ours; see `Row`.
    """

    playbook_id: str
    kind: type[ActionCase]
    check_id: str = ""
    steps: int = 1
    prepare: Prepare = nothing
    by_hand: tuple[int, ...] = ()


SSH = "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22"
ALL_PORTS = "ec2_securitygroup_allow_ingress_from_internet_to_all_ports"
ACCOUNT_BLOCK = "s3_account_level_public_access_blocks"
NSG_SSH = "network_ssh_internet_access_restricted"
WHOLES = {
    "bucket": Whole("AWS-PUBLIC-S3", aws_s3_public_access.S3PublicAccessCase),
    "account": Whole("AWS-PUBLIC-S3", aws_account_public_access.AccountPublicAccessCase, ACCOUNT_BLOCK),
    "EBS": Whole("AWS-EBS-ENCRYPTION", aws_ebs.EbsDefaultEncryptionCase),
    "security group": Whole("AWS-SG-RESTRICTION", aws_security_group.SecurityGroupCase, ALL_PORTS),
    "security group, SSH": Whole("AWS-SG-RESTRICTION", aws_security_group.SecurityGroupCase, SSH),
    "MFA": Whole("ENABLE-MFA", NamedGroupCase, prepare=mfa_group),
    "access key": Whole(
        "ROTATE-CREDENTIALS",
        aws_identity.RotateKeyCase,
        prepare=key_secret,
        by_hand=(5, 6),
    ),
    "Google key": Whole("ROTATE-CREDENTIALS", gcp_key_rotation.KeyRotationCase, prepare=google_secret),
    "storage key": Whole("ROTATE-CREDENTIALS", azure.StorageKeyCase, steps=2),
    "bucket logging": Whole(
        "ENABLE-LOGGING", aws_logging.BucketLoggingCase, prepare=log_bucket("logging.s3.amazonaws.com")
    ),
    "trail": Whole("ENABLE-LOGGING", aws_logging.StartLoggingCase),
    "no trail": Whole(
        "ENABLE-LOGGING",
        aws_logging.CreateTrailCase,
        prepare=log_bucket("cloudtrail.amazonaws.com"),
    ),
    "VPC": Whole(
        "ENABLE-LOGGING",
        aws_logging.FlowLogsCase,
        prepare=log_bucket("delivery.logs.amazonaws.com", region="eu-west-1"),
    ),
    "Google firewall logging": Whole(
        "ENABLE-LOGGING", gcp_compute.FirewallLoggingCase, "FIREWALL_RULE_LOGGING_DISABLED"
    ),
    "Google subnet": Whole("ENABLE-LOGGING", gcp_compute.FlowLogsCase, "FLOW_LOGS_DISABLED"),
    "Azure networks": Whole("ENABLE-LOGGING", azure.FlowLogsOfARegionCase),
    "Google firewall": Whole("GCP-FW-RESTRICTION", gcp_compute.FirewallRestrictionCase),
    "Google bucket": Whole("GCP-PUBLIC-BUCKET", gcp_storage.PublicBucketCase),
    "Azure account": Whole("AZURE-BLOB-PUBLIC", azure.BlobAccountCase),
    "Azure rules": Whole("AZURE-NSG-RESTRICTION", azure.NsgRuleDenyCase, NSG_SSH),
}


class WholeStage(Stage):
    """An execution of a playbook of the library; whoever works on it stops in the middle, and the process lives on."""

    def __init__(self, whole: Whole, case: ActionCase, folder: Path, empty: Path) -> None:
        self.whole = whole
        whole.prepare(case)
        super().__init__(case, folder, empty, check_id=whole.check_id)

    def book(self) -> RemediationPlaybook:
        """Return the playbook as it stands in the library."""
        return PlaybookLibrary.get_all_playbooks()[self.whole.playbook_id]

    def mortal(self, fate: Fate) -> ActionRegistry:
        if fate.kills:
            return super().mortal(fate)
        if isinstance(self.case, GoogleCase):
            make_requests_mortal(fate)
            return self.registry()
        return self.case.registry(wrap=lambda client: MortalClient(client, fate))

    @contextmanager
    def working(self, fate: Fate, owner: str) -> Iterator[tuple[Runner, Stores]]:
        """Be a process for the block: with its own connection to the database, until it stops."""
        stores = Stores.open(self.url)
        try:
            with no_longer_mortal():
                yield self.runner(stores, fate, owner), stores
        except StoppedError:
            pass
        finally:
            stores.close()

    def run_until(self, dies_at: int | None) -> int:
        """Run it up to a moment; return how many there were."""
        fate = Fate(self.log, dies_at=dies_at, kills=False)
        with self.working(fate, "boot-first") as (runner, _):
            runner.run(self.execution_id)
        return fate.moments

    def put_back_until(self, dies_at: int | None) -> int:
        """Put it back up to a moment; return how many there were."""
        fate = Fate(self.back, dies_at=dies_at, kills=False)
        with self.working(fate, "boot-back") as (runner, _):
            runner.roll_back(self.execution_id, self.approver)
        return fate.moments

    def take_over(self, log: Path) -> None:
        """Do what the next process's sweep does."""
        self.pass_time()
        with self.working(Fate(log, kills=False), "boot-second") as (runner, stores):
            self.sweep_with(runner, stores)

    def writes(self, log: Path) -> Counter[str]:
        """Return how often each write took effect."""
        return Fate(log).writes()


class KilledStage(WholeStage):
    """An execution of a playbook of the library; whoever works on it is a real process that dies by SIGKILL, and so is who comes after."""

    def run_until(self, dies_at: int | None) -> int:
        """Run it up to a moment; return how many there were."""
        ended = in_child(lambda: self.run(Fate(self.log, dies_at=dies_at)))
        assert ended == (0 if dies_at is None else DIED)
        return self.moments() if dies_at is None else dies_at

    def take_over(self, log: Path) -> None:
        """Do what the next process's sweep does, in a process of its own."""
        self.pass_time()
        assert in_child(lambda: self.sweep(log)) == 0
