"""Reading ARNs, and writing them for the right partition."""

from remediation.plan import Target

# Longest first. From botocore's endpoint data: each partition's `regionRegex`.
_PARTITIONS = (
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
    ("cn-", "aws-cn"),
)
# A region of each partition that every account of it can use.
HOMES = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-eusc": "eusc-de-east-1",
}
_NO_REGION = {"", "*", "global", "aws-global"}
_PARTITION_AT, _ACCOUNT_AT, _PARTS = 1, 4, 6


def partition(region: str) -> str:
    """Return the partition of a region: the second part of its ARNs."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def partition_of(target: Target) -> str:
    """Return the partition of a target: as its ARN says, else by its region."""
    return _part(target.resource, _PARTITION_AT) or partition(target.region)


def account_of(arn: str) -> str:
    """Return the account of an ARN; empty where it has none, or is no ARN."""
    return _part(arn, _ACCOUNT_AT)


def home_region(arn: str) -> str:
    """Return a region of an ARN's partition that every account of it can use; empty where we know none."""
    return HOMES.get(_part(arn, _PARTITION_AT), "")


def known_region(region: str) -> str:
    """Return a region that can be asked; empty for what findings about global resources say instead."""
    return "" if region in _NO_REGION else region


def _part(arn: str, position: int) -> str:
    parts = arn.split(":", _PARTS - 1)
    return parts[position] if len(parts) == _PARTS and parts[0] == "arn" else ""
