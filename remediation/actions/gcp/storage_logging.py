"""Switch on a Cloud Storage bucket's usage logs, and off again."""

from typing import Annotated

from pydantic import StringConstraints

from audit.errors import Cause, PermanentActionError
from remediation.actions.contract import Draft, Params, Permissions
from remediation.actions.gcp.action import GcpAction, gcp_target, require_between
from remediation.actions.gcp.buckets import Buckets, bindings_of
from remediation.actions.gcp.names import bucket_of
from remediation.plan import ABSENT, ActionPlan, State, Target

LOG_BUCKET, PREFIX = "Log bucket", "Log object prefix"
_WRITER = "group:cloud-storage-analytics@google.com"
# Roles that contain storage.objects.create, from Google's list of Cloud Storage roles.
_MAY_WRITE = {
    "roles/storage.admin",
    "roles/storage.legacyBucketOwner",
    "roles/storage.legacyBucketWriter",
    "roles/storage.objectAdmin",
    "roles/storage.objectCreator",
    "roles/storage.objectUser",
}


class EnableStorageLoggingParams(Params):
    """Where the logs go. Without a prefix, Google begins the logs' names with the bucket's own."""

    log_bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$")]
    prefix: Annotated[str, StringConstraints(max_length=900)] = ""


class EnableStorageLogging(GcpAction[EnableStorageLoggingParams]):
    """Have Google deliver a bucket's usage logs to a log bucket that is there already.

    A bucket whose logs go somewhere already keeps them there. Refused where Google's log writer may not write to the log bucket: the
    switch would be on and no log would ever arrive.

    Example:
        ```yaml
        action_name: enable_bucket_logging
        action_type: gcp
        params:
          service: storage
          action: enable-logging
          params:
            log_bucket: acme-usage-logs
        ```
    """

    key = "storage:enable-logging"
    params_model = EnableStorageLoggingParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("storage.buckets.get", "storage.buckets.getIamPolicy", "storage.buckets.list"),
        apply=("storage.buckets.update",),
        rollback=("storage.buckets.update",),
    )

    def plan(self, target: Target, params: EnableStorageLoggingParams) -> Draft:
        """Read where the bucket's logs go, and whether the log bucket takes them."""
        named = bucket_of(target)
        owned = gcp_target(named.name, project=self.project(named.project))
        buckets = self._buckets(owned)
        buckets.require_owner(named.name, owned)
        before = _state(buckets, named.name)
        after = (
            before
            if before[LOG_BUCKET]
            else {LOG_BUCKET: params.log_bucket, PREFIX: params.prefix or named.name}
        )
        if after != before:
            _require_log_bucket(buckets, params.log_bucket, named.name)
        return Draft(
            target=owned,
            before=before,
            after=after,
            untouched=("Objects and who may read them", f"The log bucket {after[LOG_BUCKET]}"),
            notes=(
                "Google delivers usage logs hourly. Data access audit logs are another thing, set for a project.",
            ),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read where the bucket's logs go now."""
        return _state(self._buckets(plan.target), plan.target.resource)

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Have the logs delivered."""
        return self._write(plan, plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Stop the delivery. Logs that arrived stay."""
        return self._write(plan, plan.before)

    def _write(self, plan: ActionPlan, state: State) -> tuple[str, ...]:
        buckets = self._buckets(plan.target)
        now = _state(buckets, plan.target.resource)
        require_between(now, plan)
        if now == state:
            return ()
        bucket = buckets.read(plan.target.resource)
        if state[LOG_BUCKET] is ABSENT:
            bucket.disable_logging()
        else:
            bucket.enable_logging(state[LOG_BUCKET], object_prefix=state[PREFIX])
        buckets.patch(bucket)
        return ()

    def _buckets(self, target: Target) -> Buckets:
        return Buckets(self._clients.client("gcs", project=target.account_id), self._clients.patience)


def _state(buckets: Buckets, name: str) -> State:
    logging = buckets.read(name).get_logging() or {}
    if not logging.get("logBucket"):
        return {LOG_BUCKET: ABSENT, PREFIX: ABSENT}
    # Where no prefix was given, Google uses the bucket's name.
    return {LOG_BUCKET: logging["logBucket"], PREFIX: logging.get("logObjectPrefix") or name}


def _require_log_bucket(buckets: Buckets, log_bucket: str, name: str) -> None:
    """Let a log bucket pass that exists, is another one, and that Google's log writer may write to.

    Raises:
        ActionError: it is not; says how to make it one.
    """
    if log_bucket == name:
        raise PermanentActionError(
            f"{name} cannot keep its own usage logs: each log would be logged", cause=Cause.INVALID
        )
    granted = bindings_of(buckets.policy(buckets.read(log_bucket)))
    if not any(member == _WRITER and role in _MAY_WRITE for member, role, _ in granted):
        raise PermanentActionError(
            f"No log would arrive in {log_bucket}: give {_WRITER} the role roles/storage.objectCreator on it",
            cause=Cause.INVALID,
        )
