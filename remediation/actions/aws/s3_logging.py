"""Write a bucket's access logs into another bucket, and stop it where it was not done before."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import StringConstraints

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction, partition
from remediation.actions.aws.bucket_policies import Delivery
from remediation.actions.aws.errors import aws_errors, request_id
from remediation.actions.aws.log_buckets import LOCATE_FROM, LogBucket, bucket_target
from remediation.actions.aws.s3_public_access import bucket_name
from remediation.actions.aws.tags import Tags, bucket_tags
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

SETTINGS = ("TargetBucket", "TargetPrefix", "TargetGrants", "TargetObjectKeyFormat")
_SERVICE = "logging.s3.amazonaws.com"
_SIMPLE: object = {"SimplePrefix": {}}

BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class BucketLoggingParams(Params):
    """Where the logs go. `{bucket}` in the prefix stands for the name of the bucket that is logged."""

    TargetBucket: BucketName
    TargetPrefix: Annotated[str, StringConstraints(max_length=512)] = "{bucket}/"


class PutBucketLogging(AwsAction[BucketLoggingParams]):
    """Turn on a bucket's access logging.

    A bucket that logs already, wherever to, is left as it is. The bucket that takes the logs must be in the same account
    and region, and let S3 write there, by its policy or, as in older times, by its ACL; it is not written to.

    Example:
        ```yaml
        action_name: log_access
        action_type: aws
        params:
          service: s3
          action: put-bucket-logging
          params:
            TargetBucket: acme-access-logs
            TargetPrefix: "{bucket}/"
        ```
    """

    key = "s3:put-bucket-logging"
    params_model = BucketLoggingParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "s3:GetBucketLocation",
            "s3:GetBucketLogging",
            "s3:GetBucketPolicy",
            "s3:GetBucketAcl",
            "s3:GetBucketTagging",
        ),
        apply=("s3:PutBucketLogging",),
        rollback=("s3:PutBucketLogging",),
    )

    def plan(self, target: Target, params: BucketLoggingParams) -> Draft:
        """Read whether the bucket logs, and whether the other bucket can take the logs."""
        bucket = bucket_name(target.resource)
        placed = self._locate(target)
        logging = self._logging(placed, "plan")
        before, tags = logging.read(), logging.read_tags()
        untouched = ("Bucket policy, ACL and objects", f"Everything about the bucket {params.TargetBucket}")
        if before["TargetBucket"] is not ABSENT:
            note = f"It logs already, to {before['TargetBucket']}"
            return Draft(
                target=placed, before=before, after=before, tags=tags, untouched=untouched, notes=(note,)
            )
        after = {
            **dict.fromkeys(SETTINGS, ABSENT),
            "TargetBucket": params.TargetBucket,
            "TargetPrefix": params.TargetPrefix.replace("{bucket}", bucket),
        }
        self._refuse_unfit(placed, after)
        notes = (
            "Logs arrive within hours and are kept until the other bucket's lifecycle rules expire them",
        )
        return Draft(target=placed, before=before, after=after, tags=tags, untouched=untouched, notes=notes)

    def observe(self, plan: ActionPlan) -> State:
        """Read where the bucket logs to."""
        return self._logging(plan.target, "plan").read()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Turn it on."""
        return self._logging(plan.target, "apply").write(plan.after) if plan.is_needed else ()

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Turn it off again; logs that were written stay."""
        return self._logging(plan.target, "rollback").write(plan.before) if plan.is_needed else ()

    def scope(self, permission: str, target: Target) -> str:  # noqa: ARG002 - all are needed on the bucket
        """Return the bucket's ARN."""
        return f"arn:{partition(target.region)}:s3:::{bucket_name(target.resource)}"

    def _logging(self, target: Target, phase: Phase) -> "_Logging":
        return _Logging(self.client("s3", target, phase), target)

    def _log_bucket(self, target: Target) -> LogBucket:
        s3 = self.client("s3", target, "plan")
        return LogBucket(s3, bucket_name(target.resource), account_id=target.account_id)

    def _locate(self, target: Target) -> Target:
        """Return the target in its owner's account and its own region, whatever the finding says."""
        account = target.account_id or self._clients.account_id()
        asked = replace(target, account_id=account, region=target.region or LOCATE_FROM)
        return replace(asked, region=self._log_bucket(asked).region())

    def _refuse_unfit(self, source: Target, after: State) -> None:
        """Refuse a bucket that S3 would not, or should not, write these logs to.

        Raises:
            ActionError: it is not there, or not fit; says why.
        """
        name, prefix = str(after["TargetBucket"]), str(after["TargetPrefix"])
        if name == bucket_name(source.resource):
            raise PermanentActionError(
                f"{name} cannot log into itself: every log would cause another", cause=Cause.INVALID
            )
        arn = bucket_target(source, name, partition=partition(source.region))
        bucket = self._log_bucket(arn)
        if (region := bucket.region()) != source.region:
            raise PermanentActionError(
                f"The bucket {name} is in {region}, and logs of a bucket in {source.region} have to stay there",
                cause=Cause.INVALID,
            )
        delivery = Delivery(
            service=_SERVICE,
            action="s3:PutObject",
            resource=f"{arn.resource}/{prefix}2026-01-01-00-00-00-0123456789ABCDEF",
            facts={
                "aws:sourcearn": f"arn:{partition(source.region)}:s3:::{bucket_name(source.resource)}",
                "aws:sourceaccount": source.account_id,
                "aws:securetransport": "true",
            },
        )
        self._refuse_without_rights(bucket, delivery)

    @staticmethod
    def _refuse_without_rights(bucket: LogBucket, delivery: Delivery) -> None:
        try:
            bucket.refuse_undeliverable([delivery], what="access logs")
        except PermanentActionError as error:
            if error.cause is not Cause.INVALID or not _may_by_acl(bucket):
                raise


def _may_by_acl(bucket: LogBucket) -> bool:
    try:
        return bucket.lets_delivery_group_write()
    except ActionError:
        return False


class _Logging:
    """The logging of one bucket."""

    def __init__(self, s3: Any, target: Target) -> None:  # noqa: ANN401 - see `AwsClients`
        self._s3 = s3
        self._name = bucket_name(target.resource)
        self._where = {"Bucket": self._name, "ExpectedBucketOwner": target.account_id}

    def read(self) -> State:
        """Return the settings, each None where the bucket does not log or leaves it out."""
        with aws_errors(f"read the access logging of {self._name}"):
            enabled = self._s3.get_bucket_logging(**self._where).get("LoggingEnabled") or {}
        state = {name: enabled.get(name) or ABSENT for name in SETTINGS}
        if enabled:
            state["TargetPrefix"] = str(enabled.get("TargetPrefix", ""))
        if state["TargetObjectKeyFormat"] == _SIMPLE:  # what S3 does without being told
            state["TargetObjectKeyFormat"] = ABSENT
        return state

    def read_tags(self) -> Tags | None:
        """Return the bucket's tags, None where they cannot be read."""
        return bucket_tags(self._s3, self._where)

    def write(self, state: State) -> tuple[str, ...]:
        enabled = {name: value for name, value in state.items() if value is not ABSENT}
        status = {"LoggingEnabled": enabled} if enabled else {}
        with aws_errors(f"write the access logging of {self._name}"):
            return (request_id(self._s3.put_bucket_logging(**self._where, BucketLoggingStatus=status)),)
