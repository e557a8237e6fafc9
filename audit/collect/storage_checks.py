"""Checks on buckets, and on an account's block on public ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from audit.collect.check import Check, Verdict
from audit.collect.facts import Facts, Unread, flag, part, words
from audit.findings import Severity

SWITCHES: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_GUIDE: Final = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
_BLOCK_URL: Final = f"{_GUIDE}access-control-block-public-access.html"


def _switched_on(facts: Facts) -> set[str]:
    """Return the switches in force on a bucket: its own, and those of its account where they are known."""
    known = (facts.get(name) for name in ("public_access_block", "account_public_access_block"))
    blocks = [block for block in known if isinstance(block, Mapping)]
    return {name for name in SWITCHES if any(flag(block, name) for block in blocks)}


def _blocked(facts: Facts, _now: datetime) -> Verdict:
    part(facts, "public_access_block")
    off = [name for name in SWITCHES if name not in _switched_on(facts)]
    said = f"Off: {', '.join(off)}." if off else "All four switches of the public access block are on."
    if off and isinstance(facts.get("account_public_access_block"), Unread):
        said += " Whether the account's own block covers it could not be read."
    return Verdict(passed=not off, evidence=said)


def _public(facts: Facts, _now: datetime) -> Verdict:
    on, ways = _switched_on(facts), list[str]()
    if flag(facts, "policy_is_public") and "RestrictPublicBuckets" not in on:
        ways.append("its policy")
    if flag(facts, "acl_is_public") and "IgnorePublicAcls" not in on:
        ways.append("its ACL")
    said = (
        f"Open to everyone by {' and '.join(ways)}."
        if ways
        else "Neither policy nor ACL opens it to everyone."
    )
    return Verdict(passed=not ways, evidence=said)


def _encrypted(facts: Facts, _now: datetime) -> Verdict:
    how = words(facts, "encryption")
    return Verdict(passed=bool(how), evidence=f"Default encryption: {how or 'none'}.")


def _logged(facts: Facts, _now: datetime) -> Verdict:
    where = words(facts, "logging")
    return Verdict(passed=bool(where), evidence=f"Access logs go to: {where or 'nowhere'}.")


def _versioned(facts: Facts, _now: datetime) -> Verdict:
    state = words(facts, "versioning")
    return Verdict(passed=state == "Enabled", evidence=f"Versioning: {state or 'never switched on'}.")


ACCOUNT_CHECKS: Final = (
    Check(
        check_id="s3_account_level_public_access_blocks",
        title="The account blocks public access to its buckets",
        severity=Severity.HIGH,
        resource_type="AwsS3AccountPublicAccessBlock",
        needs=("public_access_block",),
        judge=_blocked,
        description="The account's block covers every bucket, those made later too.",
        remediation="Switch on all four switches of the account's public access block.",
        reference_url=_BLOCK_URL,
    ),
)
BUCKET_CHECKS: Final = (
    Check(
        check_id="s3_bucket_public_access",
        title="The bucket is not open to everyone",
        severity=Severity.CRITICAL,
        resource_type="AwsS3Bucket",
        needs=("policy_is_public", "acl_is_public", "public_access_block"),
        judge=_public,
        description="Whoever knows or guesses the bucket's name can do what its policy or ACL allows everyone.",
        remediation="Switch on the bucket's public access block, then narrow its policy and ACL.",
        reference_url=_BLOCK_URL,
    ),
    Check(
        check_id="s3_bucket_level_public_access_block",
        title="Public access to the bucket is blocked",
        severity=Severity.HIGH,
        resource_type="AwsS3Bucket",
        needs=("public_access_block",),
        judge=_blocked,
        description="With all four switches on no policy and no ACL can open the bucket to everyone.",
        remediation="Switch on all four switches of the bucket's public access block.",
        reference_url=_BLOCK_URL,
    ),
    Check(
        check_id="s3_bucket_default_encryption",
        title="The bucket encrypts what is stored in it",
        severity=Severity.MEDIUM,
        resource_type="AwsS3Bucket",
        needs=("encryption",),
        judge=_encrypted,
        description="Objects are encrypted as the bucket's default says where whoever stores them says nothing.",
        remediation="Set the bucket's default encryption.",
        reference_url=f"{_GUIDE}bucket-encryption.html",
    ),
    Check(
        check_id="s3_bucket_server_access_logging_enabled",
        title="Access to the bucket is logged",
        severity=Severity.MEDIUM,
        resource_type="AwsS3Bucket",
        needs=("logging",),
        judge=_logged,
        description="Without access logs nobody can say afterwards who read what.",
        remediation="Have the bucket's access logs delivered to a bucket for logs.",
        reference_url=f"{_GUIDE}ServerLogs.html",
    ),
    Check(
        check_id="s3_bucket_object_versioning",
        title="The bucket keeps earlier versions",
        severity=Severity.MEDIUM,
        resource_type="AwsS3Bucket",
        needs=("versioning",),
        judge=_versioned,
        description="Without versions what is overwritten or deleted is gone.",
        remediation="Switch on the bucket's versioning, with a rule that ends old versions.",
        reference_url=f"{_GUIDE}Versioning.html",
    ),
)
