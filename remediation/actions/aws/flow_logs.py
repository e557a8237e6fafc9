"""Record a VPC's traffic in a flow log, and delete that flow log again."""

from typing import Annotated, Any, Literal

from pydantic import StringConstraints, model_validator

from remediation.actions.aws.action import Arns, AwsAction
from remediation.actions.aws.vpc_flow_logs import SETTINGS, FlowLogs, describe, vpc_arn
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ABSENT, ActionPlan, State, Target

_TO_S3 = "s3"

BucketArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")
]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
LogGroup = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_/.#-]{1,512}$")]


class FlowLogsParams(Params):
    """Where the records go, by EC2's own names: a bucket's ARN, or a log group with the role that writes to it."""

    LogDestinationType: Literal["s3", "cloud-watch-logs"]
    LogDestination: BucketArn | None = None
    LogGroupName: LogGroup | None = None
    DeliverLogsPermissionArn: RoleArn | None = None
    TrafficType: Literal["ACCEPT", "REJECT", "ALL"] = "ALL"
    MaxAggregationInterval: Literal[60, 600] = 600

    @model_validator(mode="after")
    def _has_a_destination(self) -> "FlowLogsParams":
        to_s3 = self.LogDestination is not None
        to_group = self.LogGroupName is not None and self.DeliverLogsPermissionArn is not None
        is_mixed = to_s3 and (self.LogGroupName or self.DeliverLogsPermissionArn)
        if is_mixed or (to_s3 if self.LogDestinationType == _TO_S3 else to_group) is False:
            raise ValueError(
                "s3 takes LogDestination; cloud-watch-logs takes LogGroupName and DeliverLogsPermissionArn"
            )
        return self


class CreateFlowLogs(AwsAction[FlowLogsParams]):
    """Create a flow log for a VPC.

    A VPC that somebody records already is left as it is. Ours is tagged; a rollback deletes what carries the tag
    and nothing else. Records stay where they were delivered.

    Example:
        ```yaml
        action_name: record_traffic
        action_type: aws
        params:
          service: ec2
          action: create-flow-logs
          params:
            LogDestinationType: s3
            LogDestination: arn:aws:s3:::acme-flow-logs
        ```
    """

    key = "ec2:create-flow-logs"
    params_model = FlowLogsParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("ec2:DescribeVpcs", "ec2:DescribeFlowLogs"),
        apply=("ec2:CreateFlowLogs", "ec2:CreateTags", "logs:CreateLogDelivery", "iam:PassRole"),
        rollback=("ec2:DeleteFlowLogs", "logs:DeleteLogDelivery"),
    )

    def plan(self, target: Target, params: FlowLogsParams) -> Draft:
        """Read who records the VPC today."""
        placed = vpc_arn(target.resource).place(target)
        logs = FlowLogs(self.client("ec2", placed, "plan"), placed)
        logs.refuse_strangers()
        before, others = logs.read(), logs.others()
        after: State = before if others else {name: getattr(params, name) for name in SETTINGS}
        notes = (
            [f"It is recorded already, by {describe(log)}" for log in others]
            or ["Records cost storage; a rollback deletes the flow log and leaves them"]
        )  # fmt: skip
        return Draft(
            target=placed,
            before=before,
            after=after,
            tags=logs.tags,
            untouched=("The VPC, its subnets, interfaces and other flow logs", "The place the records go to"),
            notes=tuple(notes),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the flow log of ours."""
        return FlowLogs(self.client("ec2", plan.target, "plan"), plan.target).read()

    def verify(self, plan: ActionPlan) -> None:
        """Read it again; a flow log that cannot deliver is as good as none."""
        super().verify(plan)
        FlowLogs(self.client("ec2", plan.target, "plan"), plan.target).refuse_undelivered()

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Create the flow log, where ours is not there yet."""
        if not plan.is_needed:
            return ()
        logs = FlowLogs(self._scoped(plan, "apply"), plan.target)
        return () if logs.read() == plan.after else (logs.create(plan.after),)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Delete the flow log of ours, where there was none before."""
        if plan.before["LogDestinationType"] is not ABSENT:
            return ()
        return FlowLogs(self._scoped(plan, "rollback"), plan.target).delete()

    def _scoped(self, plan: ActionPlan, phase: Phase) -> Any:  # noqa: ANN401 - see `AwsClients`
        """Return a client that may pass the one role the flow log is given, and no other."""
        role = plan.params.get("DeliverLogsPermissionArn")

        def scope(permission: str, target: Target) -> Arns:
            if permission == "iam:PassRole":
                return str(role or _no_role(target))
            return self.scope(permission, target)

        return self.client("ec2", plan.target, phase, scope=scope)

    def scope(self, permission: str, target: Target) -> Arns:
        """Return the flow logs of the account's region, and the VPC, where EC2 knows anything narrower than everything.

        No role may be passed, until the parameters name one: whoever records into a log group adds `iam:PassRole` on theirs.
        """
        if permission == "iam:PassRole":
            return _no_role(target)
        arn = vpc_arn(target.resource)
        logs = f"arn:{arn.partition}:ec2:{arn.region}:{arn.account}:vpc-flow-log/*"
        if permission == "ec2:CreateFlowLogs":
            return (target.resource, logs)
        return logs if permission in {"ec2:CreateTags", "ec2:DeleteFlowLogs"} else "*"


def _no_role(target: Target) -> str:
    """Return an ARN that is no role's, for credentials that are to pass none."""
    arn = vpc_arn(target.resource)
    return f"arn:{arn.partition}:iam::{arn.account}:role/none"
