"""Block public access to one S3 bucket, and put the block back exactly as it was."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction, partition_of
from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.partitions import partition
from remediation.actions.aws.tags import Tags, bucket_tags
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_BUCKET = re.compile(r"(?:arn:aws[a-z-]*:s3:::)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])")
_ANYONE = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"
_LOCATE_FROM = "us-east-1"


class PublicAccessBlockParams(Params):
    """The four switches. One that is left out stays as it is."""

    BlockPublicAcls: bool | None = None
    IgnorePublicAcls: bool | None = None
    BlockPublicPolicy: bool | None = None
    RestrictPublicBuckets: bool | None = None


def flags_after(before: State, params: PublicAccessBlockParams) -> State:
    """Return the four switches as they will be."""
    wanted = {flag: value for flag, value in params.model_dump().items() if value is not None}
    return {**{flag: bool(before[flag]) for flag in FLAGS}, **wanted}


class PutPublicAccessBlock(AwsAction[PublicAccessBlockParams]):
    """Set a bucket's public access block.

    The bucket's policy, its ACL and its objects are not written to: the block overrides them while it is on, which is what makes this
    reversible. A bucket without any block is put back to having none. Every call names the account that
    must own the bucket, so a bucket of the same name elsewhere is refused by S3 itself.

    Example:
        ```yaml
        action_name: block_public_access
        action_type: aws
        params:
          service: s3
          action: put-public-access-block
          params:
            BlockPublicAcls: true
            IgnorePublicAcls: true
            BlockPublicPolicy: true
            RestrictPublicBuckets: true
        ```
    """

    key = "s3:put-public-access-block"
    params_model = PublicAccessBlockParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "s3:GetBucketLocation",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketPolicyStatus",
            "s3:GetBucketAcl",
            "s3:GetBucketWebsite",
            "s3:GetBucketTagging",
        ),
        apply=("s3:PutBucketPublicAccessBlock",),
        rollback=("s3:PutBucketPublicAccessBlock",),
    )

    def plan(self, target: Target, params: PublicAccessBlockParams) -> Draft:
        """Read the bucket's block, and what is public about it today."""
        bucket = self._locate(target)
        before = bucket.read_block()
        return Draft(
            target=bucket.target,
            before=before,
            after=flags_after(before, params),
            tags=bucket.read_tags(),
            untouched=bucket.describe_untouched(),
            notes=bucket.describe_visitors(),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the block as it is now."""
        return self._bucket(plan.target, "plan").read_block()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the block."""
        return self._bucket(plan.target, "apply").write_block(plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the block as it was, or delete it where there was none."""
        bucket = self._bucket(plan.target, "rollback")
        if all(plan.before[flag] is ABSENT for flag in FLAGS):
            return bucket.delete_block()
        return bucket.write_block(plan.before)

    def scope(self, permission: str, target: Target) -> str:  # noqa: ARG002 - all of them are needed on the bucket
        """Return the bucket's ARN."""
        return f"arn:{partition_of(target)}:s3:::{bucket_name(target.resource)}"

    def _bucket(self, target: Target, phase: Phase) -> "_Bucket":
        return _Bucket(self.client("s3", target, phase), target)

    def _locate(self, target: Target) -> "_Bucket":
        """Find the bucket's region, whatever the finding says."""
        owned = replace(target, account_id=target.account_id or self._clients.account_id())
        asked = self._bucket(_at(owned, target.region or _LOCATE_FROM), "plan")
        found = asked.read(lambda s3, where: s3.get_bucket_location(**where), "look up")["LocationConstraint"]
        # AWS answers null for us-east-1 and "EU" for buckets made long ago.
        region = {None: "us-east-1", "EU": "eu-west-1"}.get(found, found)
        return self._bucket(_at(owned, str(region)), "plan")


class _Bucket:
    """One bucket in its own region, owned by the account we think owns it."""

    def __init__(self, s3: Any, target: Target) -> None:  # noqa: ANN401 - see `AwsClients`
        self.target = target
        self.name = bucket_name(target.resource)
        self._s3 = s3
        self._where = {"Bucket": self.name, "ExpectedBucketOwner": target.account_id}

    def read_block(self) -> State:
        """Return the four switches, each None where the bucket has no block at all."""
        with aws_errors(f"read the public access block of {self.name}"):
            try:
                block = self._s3.get_public_access_block(**self._where)["PublicAccessBlockConfiguration"]
            except self._s3.exceptions.ClientError as error:
                if error_code(error) != NO_BLOCK:
                    raise
                return dict.fromkeys(FLAGS, ABSENT)
        return {flag: bool(block.get(flag, False)) for flag in FLAGS}

    def write_block(self, state: State) -> tuple[str, ...]:
        with aws_errors(f"write the public access block of {self.name}"):
            response = self._s3.put_public_access_block(
                **self._where, PublicAccessBlockConfiguration={flag: bool(state[flag]) for flag in FLAGS}
            )
        return (request_id(response),)

    def delete_block(self) -> tuple[str, ...]:
        with aws_errors(f"delete the public access block of {self.name}"):
            return (request_id(self._s3.delete_public_access_block(**self._where)),)

    def describe_untouched(self) -> tuple[str, ...]:
        """Say what the fix leaves alone, and whether it is public by itself."""
        return (f"Bucket policy ({self._policy()})", f"Bucket ACL ({self._acl()})", "Objects and their ACLs")

    def describe_visitors(self) -> tuple[str, ...]:
        """Warn where visitors will notice."""
        website = self._advice(
            lambda s3, where: s3.get_bucket_website(**where), absent="NoSuchWebsiteConfiguration"
        )
        if website is None:
            return ("Whether the bucket serves a website could not be read.",)
        if website:
            return ("The bucket serves a website: visitors will be refused once the block is on.",)
        return ()

    def read_tags(self) -> Tags | None:
        """Return the bucket's tags, None where they cannot be read."""
        return bucket_tags(self._s3, self._where)

    def _policy(self) -> str:
        status = self._advice(
            lambda s3, where: s3.get_bucket_policy_status(**where)["PolicyStatus"],
            absent="NoSuchBucketPolicy",
        )
        if status is None:
            return "could not be read"
        if not status:
            return "none"
        return "public by itself" if status.get("IsPublic") else "not public"

    def _acl(self) -> str:
        acl = self._advice(lambda s3, where: s3.get_bucket_acl(**where), absent="")
        if acl is None:
            return "could not be read"
        grantees = [str(grant["Grantee"].get("URI", "")) for grant in acl["Grants"]]
        public = [uri for uri in grantees if uri.endswith(_ANYONE)]
        return "grants to everyone" if public else "no public grant"

    def _advice(self, read: "_Call", *, absent: str) -> Mapping[str, Any] | None:
        """Read something shown as advice only: empty where it is absent, None where it cannot be read."""
        try:
            return self.read(read, "read", absent=absent)
        except ActionError:
            return None

    def read(self, read: "_Call", doing: str, *, absent: str = "") -> Mapping[str, Any]:
        """Return what a call answers: empty where AWS's error code says that the thing is `absent`."""
        with aws_errors(f"{doing} the bucket {self.name}"):
            try:
                answer: Mapping[str, Any] = read(self._s3, self._where)
            except self._s3.exceptions.ClientError as error:
                if not absent or error_code(error) != absent:
                    raise
                return {}
        return answer


_Call = Callable[[Any, Mapping[str, str]], Mapping[str, Any]]


def _at(target: Target, region: str) -> Target:
    """Return the bucket in a region, by its one ARN: what is protected by that must not pass by its bare name."""
    arn = f"arn:{partition(region)}:s3:::{bucket_name(target.resource)}"
    return Target(provider="aws", resource=arn, account_id=target.account_id, region=region)


def bucket_name(resource: str) -> str:
    """Return the bucket of an ARN or of a bare name.

    Raises:
        PermanentActionError: it names no bucket.
    """
    match = _BUCKET.fullmatch(resource.strip())
    if match is None:
        raise PermanentActionError(f"“{resource[:120]}” is not an S3 bucket's ARN", cause=Cause.INVALID)
    return match[1]
