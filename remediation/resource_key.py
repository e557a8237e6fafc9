"""One name for each resource, however a scanner spells it: what an execution holds, and by what later fixes of it are found.

A bucket is written as `acme-logs`, `arn:aws:s3:::acme-logs` or `gs://acme-logs`, a security group by its id or its ARN, an ARM id in
any case. The action that plans a change knows which resource is meant, and names it in full in its target. A target counts where it
ends in the finding's own name: what an action makes besides (a new trail of an account) is not what the finding is about.
"""

import re

from audit.findings import Finding
from remediation.plan import Plan, Target

# EC2's ids are the same in an ARN and alone: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
_EC2 = re.compile(
    r"(?:arn:aws[a-z-]*:ec2:([a-z0-9-]*):(\d*):[a-z-]+/)?([a-z]{1,9}-[0-9a-f]{8}(?:[0-9a-f]{9})?)"
)
_ACCOUNT = re.compile(
    r"(?:aws::::account:)?(\d{12})|arn:aws[a-z-]*:iam::(\d{12}):root|arn:aws[a-z-]*:s3:[a-z0-9-]*:(\d{12}):account"
)


def resource_key(finding: Finding, plan: Plan | None) -> str:
    """Return the name of the resource that a finding is about, once for all its spellings; empty where none is named.

    Args:
        finding: what was found.
        plan: what is to be done about it; None where there is no plan, and then only the text can tell.
    """
    found = Target(
        provider=finding.provider,
        resource=finding.resource,
        account_id=finding.account_id,
        region=finding.region,
    )
    targets = (action.target for action in (plan.changing if plan else ()))
    own = _last(_fold(finding.resource))
    return _full_name(
        next((target for target in targets if own and _last(_fold(target.resource)) == own), found)
    )


def _full_name(target: Target) -> str:
    """Return a name that no other resource has: an ARN, a self link and an ARM id are so, a bare name with its place."""
    name, account, region = _fold(target.resource), target.account_id, target.region
    if match := _EC2.fullmatch(name):
        region, account, name = match[1] or region, match[2] or account, match[3]
    elif match := _ACCOUNT.fullmatch(name):
        return f"aws account {match[1] or match[2] or match[3]}"
    elif not name or ":" in name or "/" in name:
        return name
    return f"{target.provider} {account} {region} {name}".casefold()


def _fold(resource: str) -> str:
    return resource.strip().rstrip("/").casefold()


def _last(name: str) -> str:
    return re.split("[:/]", name)[-1]
