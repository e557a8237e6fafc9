"""On which resources an action's permissions are needed, whatever resource a finding will name: ARNs with `*` for names.

An action is asked for its scope on a made-up resource of each kind. Kinds it is not for, it refuses.
"""

from collections.abc import Iterator
from typing import Any

from audit.errors import ActionError
from remediation.actions.aws.action import ANY, AwsAction, each_arn
from remediation.plan import Target

ACCOUNT = "000000000000"
REGION = "us-sample-1"
NAME = "countersign-sample"
HEX = "0c0ffee00c0ffee00"
_REGIONAL = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
# A new kind of resource joins here: its ARN as in AWS's Service Authorization Reference.
SAMPLES = (
    f"arn:aws:s3:::{NAME}",
    f"{_REGIONAL}:security-group/sg-{HEX}",
    f"{_REGIONAL}:vpc/vpc-{HEX}",
    f"{_REGIONAL}:subnet/subnet-{HEX}",
    f"{_REGIONAL}:network-interface/eni-{HEX}",
    f"{_REGIONAL}:volume/vol-{HEX}",
    f"{_REGIONAL}:snapshot/snap-{HEX}",
    f"{_REGIONAL}:instance/i-{HEX}",
    f"arn:aws:iam::{ACCOUNT}:user/{NAME}",
    f"arn:aws:iam::{ACCOUNT}:role/{NAME}",
    f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{NAME}",
    ACCOUNT,
)
_FIELDS = (ACCOUNT, REGION, NAME, HEX)


def template_scopes(action: AwsAction[Any], permission: str) -> tuple[str, ...]:
    """Return the ARNs on which a permission of an action is needed, with `*` for what a finding will say."""
    found = {_blank(scope) for scope in _scopes(action, permission)}
    return (ANY,) if ANY in found or not found else tuple(sorted(found))


def _scopes(action: AwsAction[Any], permission: str) -> Iterator[str]:
    service = permission.partition(":")[0]
    for sample in SAMPLES:
        target = Target(provider="aws", resource=sample, account_id=ACCOUNT, region=REGION)
        try:
            scopes = each_arn(action.scope(permission, target))
        except ActionError:
            continue
        # Who returns the resource as it came has not looked what kind it is.
        yield from (scope for scope in scopes if scope == ANY or scope.split(":")[2:3] == [service])


def _blank(arn: str) -> str:
    for field in _FIELDS:
        arn = arn.replace(field, ANY)
    return arn
