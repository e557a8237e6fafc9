"""Start a trail that does not record, and stop it again where it did not before."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import AwsAction
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.trails import Trails
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ActionPlan, State, Target

RECORDING = "recording"
_TRAIL = re.compile(r"trail/[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]")


class StartLoggingParams(Params):
    """There is nothing to choose."""


class StartLogging(AwsAction[StartLoggingParams]):
    """Let an existing trail record.

    Its settings and its bucket are not written to. A trail that records already is left as it is; a trail of the
    organization's account is refused, for that is where it is started.

    Example:
        ```yaml
        action_name: start_trail
        action_type: aws
        params: {service: cloudtrail, action: start-logging, params: {}}
        ```
    """

    key = "cloudtrail:start-logging"
    params_model = StartLoggingParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:ListTags"),
        apply=("cloudtrail:StartLogging",),
        rollback=("cloudtrail:StopLogging",),
    )

    def plan(self, target: Target, params: StartLoggingParams) -> Draft:  # noqa: ARG002 - it has none
        """Read whether the trail records, and how it does."""
        placed = trail_arn(target.resource).place(target)
        trails = self._trails(placed, "plan")
        trail = trails.find(placed.resource)
        if trail is None:
            raise PermanentActionError(f"There is no trail {placed.resource}", cause=Cause.NOT_FOUND)
        status = trails.status(placed.resource)
        return Draft(
            target=placed,
            before={RECORDING: bool(status["IsLogging"])},
            after={RECORDING: True},
            tags=trails.tags(placed.resource),
            untouched=("The trail's settings and event selectors", f"The bucket {trail['S3BucketName']}"),
            notes=tuple(_describe(trail, status)),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read whether the trail records."""
        status = self._trails(plan.target, "plan").status(plan.target.resource)
        return {RECORDING: bool(status["IsLogging"])}

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Start it."""
        return (self._trails(plan.target, "apply").start(plan.target.resource),)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Stop it, where it did not record before."""
        if plan.before[RECORDING]:
            return ()
        return (self._trails(plan.target, "rollback").stop(plan.target.resource),)

    def scope(self, permission: str, target: Target) -> str:  # noqa: ARG002 - all of them are needed on the trail
        """Return the trail's ARN."""
        return target.resource

    def _trails(self, target: Target, phase: Phase) -> Trails:
        return Trails(self.client("cloudtrail", target, phase))


def _describe(trail: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[str]:
    if not trail.get("IsMultiRegionTrail"):
        yield "It records its own region only"
    if trail.get("HasCustomEventSelectors"):
        yield "It has event selectors of its own: look whether they leave management events out"
    if error := status.get("LatestDeliveryError"):
        yield f"Its last delivery failed ({error}): starting it does not repair that"


def trail_arn(resource: str) -> Arn:
    """Return a trail's ARN.

    Raises:
        PermanentActionError: it is none.
    """
    arn = Arn.parse(resource)
    if arn is None or arn.service != "cloudtrail" or not arn.region or not _TRAIL.fullmatch(arn.resource):
        raise PermanentActionError(f"“{resource[:120]}” is not a trail's ARN", cause=Cause.INVALID)
    return arn
