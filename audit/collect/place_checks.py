"""Checks on what belongs to a region: security groups, default encryption of volumes, trails."""

from datetime import datetime
from typing import Final

from audit.collect.check import Check, Judge, Verdict
from audit.collect.facts import Facts, flag, number, parts, words
from audit.findings import Severity

EVERYONE: Final = frozenset({"0.0.0.0/0", "::/0"})
_HIGHEST_PORT: Final = 65535
_EC2: Final = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/"
_VPC: Final = "https://docs.aws.amazon.com/vpc/latest/userguide/"
_TRAIL: Final = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"


def _open_rules(facts: Facts) -> list[Facts]:
    """Return the inbound rules that let everyone in by TCP."""
    rules = (rule for rule in parts(facts, "inbound") if words(rule, "source") in EVERYONE)
    return [rule for rule in rules if words(rule, "protocol") in {"-1", "tcp", "6"}]


def _covers(rule: Facts, first: int, last: int) -> bool:
    if words(rule, "protocol") == "-1":
        return True
    return number(rule, "from_port") <= first and last <= number(rule, "to_port")


def _closed_to_everyone(first: int, last: int) -> Judge:
    def judge(facts: Facts, _now: datetime) -> Verdict:
        open_to = sorted({words(rule, "source") for rule in _open_rules(facts) if _covers(rule, first, last)})
        ports = f"port {first}" if first == last else "all ports"
        said = f"{ports} open to {', '.join(open_to)}." if open_to else f"{ports} not open to everyone."
        return Verdict(passed=not open_to, evidence=said[:1].upper() + said[1:])

    return judge


def _empty_default(facts: Facts, _now: datetime) -> Verdict:
    count = number(facts, "default_group_rules")
    return Verdict(passed=not count, evidence=f"The VPC's default group has {count or 'no'} rules.")


def _encrypts(facts: Facts, _now: datetime) -> Verdict:
    on = flag(facts, "encrypts_new_volumes")
    return Verdict(passed=on, evidence=f"New volumes are {'' if on else 'not '}encrypted by default.")


def _recorded(facts: Facts, _now: datetime) -> Verdict:
    names = [words(trail, "name") for trail in parts(facts, "recording_trails")]
    said = f"Recording in all regions: {', '.join(names)}." if names else "No trail records in all regions."
    return Verdict(passed=bool(names), evidence=said)


def _validated(facts: Facts, _now: datetime) -> Verdict:
    on = flag(facts, "log_file_validation")
    return Verdict(passed=on, evidence=f"Log file validation is {'on' if on else 'off'}.")


def _sealed(facts: Facts, _now: datetime) -> Verdict:
    key = words(facts, "kms_key")
    return Verdict(passed=bool(key), evidence=f"KMS key: {key or 'none'}.")


def _ingress(name: str, title: str, *, first: int, last: int, severity: Severity) -> Check:
    return Check(
        check_id=f"ec2_securitygroup_allow_ingress_from_internet_to_{name}",
        title=title,
        severity=severity,
        resource_type="AwsEc2SecurityGroup",
        needs=("inbound",),
        judge=_closed_to_everyone(first, last),
        description="What the whole internet can reach is tried by the whole internet.",
        remediation="Revoke the rule, or limit its source to the networks that need it.",
        reference_url=f"{_VPC}security-group-rules.html",
    )


GROUP_CHECKS: Final = (
    _ingress("tcp_port_22", "SSH is closed to the internet", first=22, last=22, severity=Severity.HIGH),
    _ingress(
        "tcp_port_3389",
        "Remote Desktop is closed to the internet",
        first=3389,
        last=3389,
        severity=Severity.HIGH,
    ),
    _ingress(
        "all_ports",
        "Not every port is open to the internet",
        first=1,  # rules from 0 and from 1 both mean all of them
        last=_HIGHEST_PORT,
        severity=Severity.CRITICAL,
    ),
    Check(
        check_id="ec2_securitygroup_default_restrict_traffic",
        title="The VPC's default security group lets nothing through",
        severity=Severity.HIGH,
        resource_type="AwsEc2SecurityGroup",
        needs=("default_group_rules",),
        judge=_empty_default,
        description="The default group is what a resource gets when nobody thinks of one.",
        remediation="Give resources groups of their own, then remove all rules of the default group.",
        reference_url=f"{_VPC}default-security-group.html",
    ),
)
EBS_CHECKS: Final = (
    Check(
        check_id="ec2_ebs_default_encryption",
        title="New EBS volumes are encrypted",
        severity=Severity.HIGH,
        resource_type="AwsEc2Volume",
        needs=("encrypts_new_volumes",),
        judge=_encrypts,
        description="With default encryption no new volume or snapshot of the region is in the clear.",
        remediation="Switch on default encryption of EBS volumes in the region.",
        reference_url=f"{_EC2}encryption-by-default.html",
    ),
)
ACCOUNT_TRAIL_CHECKS: Final = (
    Check(
        check_id="cloudtrail_multi_region_enabled",
        title="A trail records management events in all regions",
        severity=Severity.HIGH,
        resource_type="AwsCloudTrailTrail",
        needs=("recording_trails",),
        judge=_recorded,
        description="What no trail records did not happen, as far as anybody can tell later.",
        remediation="Create a trail of all regions, or start the one there is.",
        reference_url=f"{_TRAIL}cloudtrail-create-and-update-a-trail.html",
    ),
)
TRAIL_CHECKS: Final = (
    Check(
        check_id="cloudtrail_log_file_validation_enabled",
        title="The trail's log files can be validated",
        severity=Severity.MEDIUM,
        resource_type="AwsCloudTrailTrail",
        needs=("log_file_validation",),
        judge=_validated,
        description="Digests show whether a log file was changed or deleted after it was written.",
        remediation="Switch on the trail's log file validation.",
        reference_url=f"{_TRAIL}cloudtrail-log-file-validation-intro.html",
    ),
    Check(
        check_id="cloudtrail_kms_encryption_enabled",
        title="The trail's log files are encrypted with a KMS key",
        severity=Severity.MEDIUM,
        resource_type="AwsCloudTrailTrail",
        needs=("kms_key",),
        judge=_sealed,
        description="With a key of your own, reading a log takes a permission beside that on the bucket.",
        remediation="Give the trail a KMS key.",
        reference_url=f"{_TRAIL}encrypting-cloudtrail-log-files-with-aws-kms.html",
    ),
)
