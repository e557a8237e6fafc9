"""Give an account without any trail one, and take that one away again."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import StringConstraints

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction, partition
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.bucket_policies import Delivery
from remediation.actions.aws.log_buckets import LogBucket, bucket_target
from remediation.actions.aws.ours import TAGS
from remediation.actions.aws.s3_logging import BucketName
from remediation.actions.aws.trails import Trails
from remediation.actions.contract import Draft, HalfWay, Params, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

_SETTINGS = (
    "S3BucketName",
    "S3KeyPrefix",
    "IsMultiRegionTrail",
    "IncludeGlobalServiceEvents",
    "LogFileValidationEnabled",
    "KmsKeyId",
)
_SERVICE = "cloudtrail.amazonaws.com"
# A trail is like this between being made and being started. One that somebody stops has been started before.
_NEVER = "not begun"
_ACCOUNT = re.compile(r"(?:AWS::::Account:)?(\d{12})")


class CreateTrailParams(Params):
    """What the trail is called, and the bucket that it delivers to."""

    Name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$")] = (
        "countersign-trail"
    )
    S3BucketName: BucketName
    S3KeyPrefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!_.*'()/-]{1,200}$")] | None = None


class CreateTrail(AwsAction[CreateTrailParams]):
    """Create a trail of all regions with log file validation, in an account that has none, and start it.

    An account with any trail is refused, whosever it is and whether it records or not: starting that one is another
    step. The bucket has to let CloudTrail deliver, and is not written to. The trail is tagged; a rollback deletes it only
    while it carries the tag. Log files stay.

    Example:
        ```yaml
        action_name: create_trail
        action_type: aws
        params:
          service: cloudtrail
          action: create-trail
          params:
            S3BucketName: acme-trail-logs
        ```
    """

    key = "cloudtrail:create-trail"
    params_model = CreateTrailParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetTrail",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:ListTags",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
        ),
        apply=("cloudtrail:CreateTrail", "cloudtrail:AddTags", "cloudtrail:StartLogging"),
        rollback=("cloudtrail:DeleteTrail",),
    )

    def plan(self, target: Target, params: CreateTrailParams) -> Draft:
        """Read which trails there are, and whether the bucket can take the logs."""
        placed = self._place(target, params)
        trails = self._trails(placed, "plan")
        before, after = _read(trails, placed.resource), _wanted(params)
        if before != after:
            self._refuse_others(trails, placed)
            self._refuse_unfit(placed, params)
        return Draft(
            target=placed,
            before=before,
            after=after,
            untouched=(f"Everything about the bucket {params.S3BucketName}", "Trails of other accounts"),
            notes=(
                "It records management events of all regions; the first copy of them is free, storage is not",
                "A rollback deletes the trail; log files that were delivered stay in the bucket",
            ),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the trail that goes by this name."""
        return _read(self._trails(plan.target, "plan"), plan.target.resource)

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Create the trail where it is not there yet, and start it."""
        trails, arn = self._trails(plan.target, "apply"), plan.target.resource
        made = "" if trails.find(arn) else trails.create(arn, _request(plan))
        if not made and not trails.is_ours(arn):
            raise _not_ours(arn)
        return tuple(filter(None, (made, trails.start(arn))))

    def half_ways(self, plan: ActionPlan) -> tuple[HalfWay, ...]:
        """Return the trail as planned, with our tag, that has never recorded anything."""
        return (HalfWay({**plan.after, "recording": _NEVER}),) if plan.is_needed else ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Delete the trail, where there was none before and it is the one we made."""
        trails, arn = self._trails(plan.target, "rollback"), plan.target.resource
        if plan.before["S3BucketName"] is not ABSENT or trails.find(arn) is None:
            return ()
        if not trails.is_ours(arn):
            raise _not_ours(arn)
        return (trails.delete(arn),)

    def scope(self, permission: str, target: Target) -> str:
        """Return the trail's ARN, or the bucket's for what is read of it."""
        return "*" if permission == "cloudtrail:DescribeTrails" else target.resource

    def _trails(self, target: Target, phase: Phase) -> Trails:
        return Trails(self.client("cloudtrail", target, phase))

    @staticmethod
    def _place(target: Target, params: CreateTrailParams) -> Target:
        """Return the trail that is going to be, in the finding's account and region."""
        account, region = _account_and_region(target, params)
        arn = f"arn:{partition(region)}:cloudtrail:{region}:{account}:trail/{params.Name}"
        return Target(provider="aws", resource=arn, account_id=account, region=region)

    @staticmethod
    def _refuse_others(trails: Trails, target: Target) -> None:
        """Refuse an account that has a trail.

        Raises:
            PermanentActionError: names it.
        """
        for trail in trails.seen_here():
            raise PermanentActionError(
                f"Account {target.account_id} has a trail already, {trail['TrailARN']}: "
                "start or change that one instead of paying for a second",
                cause=Cause.INVALID,
            )

    def _refuse_unfit(self, target: Target, params: CreateTrailParams) -> None:
        arn = bucket_target(target, params.S3BucketName, partition=partition(target.region))
        bucket = LogBucket(self.client("s3", arn, "plan"), params.S3BucketName, account_id=target.account_id)
        bucket.region()
        bucket.refuse_undeliverable(_deliveries(target, arn.resource, params), what="a trail")


def _account_and_region(target: Target, params: CreateTrailParams) -> tuple[str, str]:
    """Return where the trail belongs: a finding about a missing trail is about an account.

    Raises:
        PermanentActionError: the resource is no account, or nothing says which region.
    """
    arn, bare = Arn.parse(target.resource), _ACCOUNT.fullmatch(target.resource.strip())
    of_account = {("iam", "root"), ("cloudtrail", "trail"), ("cloudtrail", f"trail/{params.Name}")}
    if arn and (arn.service, arn.resource) in of_account:
        placed = arn.place(target)
        return placed.account_id, placed.region
    if bare is None or (target.account_id and target.account_id != bare[1]):
        raise PermanentActionError(
            f"“{target.resource[:120]}” is not the account of the finding", cause=Cause.INVALID
        )
    if not target.region:
        raise PermanentActionError(
            "The finding names no region to create the trail in", cause=Cause.WRONG_REGION
        )
    return bare[1], target.region


def _wanted(params: CreateTrailParams) -> State:
    return {
        "S3BucketName": params.S3BucketName,
        "S3KeyPrefix": params.S3KeyPrefix,
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "LogFileValidationEnabled": True,
        "KmsKeyId": ABSENT,
        "created by us": True,
        "recording": True,
    }


def _read(trails: Trails, arn: str) -> State:
    trail = trails.find(arn)
    if trail is None:
        return dict.fromkeys((*_SETTINGS, "created by us", "recording"), ABSENT)
    return {
        **{name: trail.get(name) for name in _SETTINGS},
        "created by us": trails.is_ours(arn),
        "recording": _recording(trails.status(arn)),
    }


def _recording(status: Mapping[str, Any]) -> bool | str:
    if not status["IsLogging"] and not {"StartLoggingTime", "StopLoggingTime"} & status.keys():
        return _NEVER
    return bool(status["IsLogging"])


def _request(plan: ActionPlan) -> dict[str, object]:
    after = plan.after
    request = {
        "Name": plan.target.resource.rpartition("/")[2],
        "S3BucketName": after["S3BucketName"],
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True,
        "TagsList": list(TAGS),
    }
    prefix = after["S3KeyPrefix"]
    return request if prefix is ABSENT else {**request, "S3KeyPrefix": prefix}


def _deliveries(target: Target, bucket: str, params: CreateTrailParams) -> Iterator[Delivery]:
    """Yield what CloudTrail does with its bucket; from "Amazon S3 bucket policy for CloudTrail" in its user guide."""
    facts = {
        "aws:sourcearn": target.resource,
        "aws:sourceaccount": target.account_id,
        "aws:securetransport": "true",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    prefix = f"{params.S3KeyPrefix}/" if params.S3KeyPrefix else ""
    key = f"{bucket}/{prefix}AWSLogs/{target.account_id}/CloudTrail/log.json.gz"
    yield Delivery(service=_SERVICE, action="s3:GetBucketAcl", resource=bucket, facts=facts)
    yield Delivery(service=_SERVICE, action="s3:PutObject", resource=key, facts=facts)


def _not_ours(arn: str) -> PermanentActionError:
    return PermanentActionError(
        f"The trail {arn} is not the one that was created here: it lacks our tag",
        cause=Cause.CHANGED_MEANWHILE,
    )
