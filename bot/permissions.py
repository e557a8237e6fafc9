"""What the bot's role must be allowed, as a policy that AWS takes: nothing beyond what the playbooks' actions declare.

A statement per phase and kind of resource, so that a role can be given the right to plan only. Which S3 actions work on
a bucket is in AWS's Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

import re
from collections.abc import Iterable, Iterator

from remediation.actions.contract import Permissions

JsonObject = dict[str, object]
ANY = "*"
BUCKETS = "arn:aws:s3:::*"
_ON_A_BUCKET = re.compile(r"s3:(?:Get|Put|Delete|List|Create)Bucket\w*")
# AWS allows letters and digits in a Sid, nothing else.
_SID_ENDINGS = {ANY: "", BUCKETS: "OnBuckets"}


def build_aws_policy(needed: Iterable[Permissions], *, plan_only: bool = False) -> JsonObject:
    """Return the IAM policy document for actions that need these permissions."""
    needs = list(needed)
    phases = {"Plan": {name for need in needs for name in need.plan}}
    if not plan_only:
        phases["Apply"] = {name for need in needs for name in need.apply}
        phases["Rollback"] = {name for need in needs for name in need.rollback}
    statements = [statement for phase, names in phases.items() for statement in _statements(phase, names)]
    return {"Version": "2012-10-17", "Statement": statements}


def _statements(phase: str, names: Iterable[str]) -> Iterator[JsonObject]:
    by_resource: dict[str, list[str]] = {}
    for name in sorted(names):
        by_resource.setdefault(_resource(name), []).append(name)
    for resource, allowed in sorted(by_resource.items()):
        sid = f"Countersign{phase}{_SID_ENDINGS[resource]}"
        yield {"Sid": sid, "Effect": "Allow", "Action": allowed, "Resource": resource}


def _resource(name: str) -> str:
    return BUCKETS if _ON_A_BUCKET.fullmatch(name) else ANY
