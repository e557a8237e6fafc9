"""A live account, read as far as one may, as a stream of findings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Final

from audit.collect import (
    access_keys,
    account_block,
    account_summary,
    buckets,
    credential_report,
    ebs_encryption,
    password_policy,
    security_groups,
    trails,
)
from audit.collect.analysis import judge_iam, judge_storage
from audit.collect.check import Check, Subject, judge_all
from audit.collect.facts import Facts, Unread
from audit.collect.iam_checks import ROOT_CHECKS, USER_CHECKS
from audit.collect.place_checks import ACCOUNT_TRAIL_CHECKS, EBS_CHECKS, GROUP_CHECKS, TRAIL_CHECKS
from audit.collect.reader import Ask, Reader, unread
from audit.collect.storage_checks import BUCKET_CHECKS
from audit.compliance import with_compliance
from audit.errors import ActionError
from audit.findings import Finding

REGIONS: Final = Ask("ec2", "describe_regions", "ec2:DescribeRegions")
_COLLECTORS: Final = (
    access_keys,
    account_block,
    account_summary,
    buckets,
    credential_report,
    ebs_encryption,
    password_policy,
    security_groups,
    trails,
)
PERMISSIONS: Final = tuple(
    sorted({ask.permission for module in _COLLECTORS for ask in module.ASKS} | {REGIONS.permission})
)
"""The IAM actions that an audit takes, all of which only read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Which account is read, in which regions, and when. `home` is a region that every account of its partition has."""

    account_id: str
    regions: Sequence[str]
    when: datetime
    partition: str = "aws"
    home: str = "us-east-1"

    def arn(self, service: str, resource: str, *, region: str = "") -> str:
        """Return the ARN of a resource of this account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"


Step = tuple[str, Callable[[], Iterator[Finding]]]
Credentials = Callable[[], dict[str, Facts] | Unread]


def list_regions(reader: Reader, *, home: str) -> list[str]:
    """Return the regions that are enabled for the account.

    Raises:
        ActionError: they cannot be listed.
    """
    answer = reader.read(replace(REGIONS, region=home)) or {}
    return sorted(str(region["RegionName"]) for region in answer.get("Regions", ()))


def steps(reader: Reader, account: Account) -> list[Step]:
    """Return the parts of an audit by name, each to be run by calling it: a caller can tell how far it is."""
    # Read by the first part that needs it, once for all of them.
    credentials = cache(partial(credential_report.read_credentials, reader))
    placed: list[Step] = []
    for region in account.regions:
        placed.append((f"security groups in {region}", partial(_groups, reader, account, region)))
        placed.append((f"volume encryption in {region}", partial(_ebs, reader, account, region)))
    return [
        ("root user and password policy", partial(_root, reader, account, credentials)),
        ("users and access keys", partial(_users, reader, account, credentials)),
        ("buckets", partial(_buckets, reader, account)),
        *placed,
        ("trails", partial(_trails, reader, account)),
    ]


def collect(reader: Reader, account: Account) -> Iterator[Finding]:
    """Yield the findings of a whole audit, with the controls they are about."""
    for _, step in steps(reader, account):
        yield from map(with_compliance, step())


def _root(reader: Reader, account: Account, credentials: Credentials) -> Iterator[Finding]:
    root = {**account_summary.read_root(reader), "last_used": _last_use(credentials())}
    policy = password_policy.read_password_policy(reader)
    yield from _judge(ROOT_CHECKS, account, account.arn("iam", "root"), root)
    data = {"password_policy": policy}
    yield from judge_iam(data, account_id=account.account_id, when=account.when, partition=account.partition)


def _last_use(report: dict[str, Facts] | Unread) -> object:
    if isinstance(report, Unread):
        return report
    if credential_report.ROOT not in report:
        return Unread(
            "the credential report says nothing about the root user.", credential_report.GET.permission
        )
    return report[credential_report.ROOT]["last_used"]


def _users(reader: Reader, account: Account, credentials: Credentials) -> Iterator[Finding]:
    try:
        users = list(access_keys.read_users(reader))
    except ActionError as error:
        yield from _unread(
            USER_CHECKS, account, account.arn("iam", "user/*"), unread(error, access_keys.USERS)
        )
        return
    for user in users:
        facts = {**user, **_password(credentials(), str(user["name"]))}
        yield from _judge(USER_CHECKS, account, str(user["arn"]), facts)


def _password(report: dict[str, Facts] | Unread, name: str) -> Facts:
    """Return what the report says of a user's password; one made since the report is in the next one."""
    if isinstance(report, dict) and name in report:
        return report[name]
    newer = Unread("the user is newer than the credential report.", credential_report.GET.permission)
    why = report if isinstance(report, Unread) else newer
    return dict.fromkeys(("password_enabled", "mfa_active", "password_last_used"), why)


def _buckets(reader: Reader, account: Account) -> Iterator[Finding]:
    block = account_block.read_account_block(reader, account.account_id, region=account.home)
    try:
        found = list(buckets.read_buckets(reader, home=account.home))
    except ActionError as error:
        every = account.arn("s3", "*")
        yield from _unread(BUCKET_CHECKS, account, every, unread(error, buckets.BUCKETS))
        found = []
    named = [{**bucket, "arn": f"arn:{account.partition}:s3:::{bucket['name']}"} for bucket in found]
    data = {"account_public_access_block": block, "buckets": named}
    yield from judge_storage(data, account_id=account.account_id, when=account.when)


def _groups(reader: Reader, account: Account, region: str) -> Iterator[Finding]:
    try:
        found = list(security_groups.read_groups(reader, region))
    except ActionError as error:
        every, why = (
            account.arn("ec2", "security-group/*", region=region),
            unread(error, security_groups.GROUPS),
        )
        yield from _unread(GROUP_CHECKS, account, every, why, region=region)
        return
    for group_id, facts in found:
        arn = account.arn("ec2", f"security-group/{group_id}", region=region)
        yield from _judge(GROUP_CHECKS, account, arn, facts, region=region)


def _ebs(reader: Reader, account: Account, region: str) -> Iterator[Finding]:
    facts = {"encrypts_new_volumes": ebs_encryption.read_default_encryption(reader, region)}
    yield from _judge(EBS_CHECKS, account, account.arn("ec2", "volume", region=region), facts, region=region)


def _trails(reader: Reader, account: Account) -> Iterator[Finding]:
    found = trails.read_trails(reader, account.regions)
    yield from _judge(
        ACCOUNT_TRAIL_CHECKS,
        account,
        account.arn("cloudtrail", "trail", region=account.home),
        trails.account_facts(found),
        region=account.home,
    )
    for trail, facts in trails.trail_facts(found):
        yield from _judge(
            TRAIL_CHECKS, account, str(trail["TrailARN"]), facts, region=str(trail.get("HomeRegion", ""))
        )


def _judge(
    checks: Sequence[Check], account: Account, resource: str, facts: Facts, *, region: str = ""
) -> Iterator[Finding]:
    subject = Subject(
        account_id=account.account_id, resource=resource, when=account.when, facts=facts, region=region
    )
    return judge_all(checks, subject)


def _unread(
    checks: Sequence[Check], account: Account, resource: str, why: Unread, *, region: str = ""
) -> Iterator[Finding]:
    """Yield a finding for a person from each check on what could not even be listed."""
    facts = dict.fromkeys((name for check in checks for name in check.needs), why)
    return _judge(checks, account, resource, facts, region=region)
