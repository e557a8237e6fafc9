"""Buckets that logs go to: where they are, and whether the service that writes them may."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.bucket_policies import Delivery, allows
from remediation.actions.aws.errors import aws_errors, error_code
from remediation.plan import Target

LOCATE_FROM = "us-east-1"
# What AWS answers for us-east-1, and for buckets made long ago.
_OLD_NAMES = {None: "us-east-1", "EU": "eu-west-1"}
_DELIVERY_GROUP = "http://acs.amazonaws.com/groups/s3/LogDelivery"
_GROUP_NEEDS = {"WRITE", "READ_ACP"}


class LogBucket:
    """One bucket, owned by the account we think owns it."""

    def __init__(self, s3: Any, name: str, *, account_id: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self.name = name
        self._s3 = s3
        self._where = {"Bucket": name, "ExpectedBucketOwner": account_id}

    def region(self) -> str:
        """Return the region it is in.

        Raises:
            ActionError: it is not there, or belongs to somebody else.
        """
        with aws_errors(f"look up the bucket {self.name}"):
            found = self._s3.get_bucket_location(**self._where)["LocationConstraint"]
        return _OLD_NAMES.get(found) or str(found)

    def refuse_undeliverable(self, deliveries: Iterable[Delivery], *, what: str) -> None:
        """Let pass a bucket whose policy lets every delivery in.

        Args:
            deliveries: what the service will do.
            what: names what is delivered, such as `access logs`.

        Raises:
            PermanentActionError: the policy does not; says which service needs which right.
            ActionError: the policy cannot be read.
        """
        policy = self._policy()
        for delivery in deliveries:
            if not allows(policy, delivery):
                raise PermanentActionError(
                    f"The bucket {self.name} cannot take {what}: its policy does not let {delivery.service} do "
                    f"{delivery.action} on {delivery.resource}",
                    cause=Cause.INVALID,
                )

    def lets_delivery_group_write(self) -> bool:
        """Tell whether the ACL lets S3's log delivery group write, the way it was done before policies.

        Raises:
            ActionError: the ACL cannot be read.
        """
        with aws_errors(f"read the ACL of {self.name}"):
            grants = self._s3.get_bucket_acl(**self._where)["Grants"]
        held = {grant["Permission"] for grant in grants if grant["Grantee"].get("URI") == _DELIVERY_GROUP}
        return held >= _GROUP_NEEDS or "FULL_CONTROL" in held

    def _policy(self) -> str:
        with aws_errors(f"read the policy of {self.name}"):
            try:
                return str(self._s3.get_bucket_policy(**self._where)["Policy"])
            except self._s3.exceptions.ClientError as error:
                if error_code(error) != "NoSuchBucketPolicy":
                    raise
                return ""


def bucket_target(target: Target, name: str, *, partition: str, region: str = "") -> Target:
    """Return a bucket as a target in the account of another one, so that credentials are narrowed to it."""
    return replace(target, resource=f"arn:{partition}:s3:::{name}", region=region or target.region)
