"""The flow logs of one VPC: ours, which carry our tag, and those of others."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.errors import aws_errors, request_id
from remediation.actions.aws.ours import TAGS, is_ours
from remediation.actions.aws.tags import Tags, to_tags
from remediation.plan import ABSENT, State, Target

SETTINGS = (
    "LogDestinationType",
    "LogDestination",
    "LogGroupName",
    "DeliverLogsPermissionArn",
    "TrafficType",
    "MaxAggregationInterval",
)
_TO_CLOUDWATCH = "cloud-watch-logs"
_VPC = re.compile(r"vpc/(vpc-[0-9a-f]{8,17})")


class FlowLogs:
    """The flow logs of one VPC."""

    def __init__(self, ec2: Any, target: Target) -> None:  # noqa: ANN401 - see `AwsClients`
        self._ec2 = ec2
        self._target = target
        self._vpc = vpc_arn(target.resource).resource.rpartition("/")[2]
        self.tags: Tags | None = None

    def refuse_strangers(self) -> None:
        """Refuse a VPC that is not there, or that another account shares with this one. Keep its `tags`."""
        with aws_errors(f"look up {self._vpc}"):
            vpc = self._ec2.describe_vpcs(VpcIds=[self._vpc])["Vpcs"][0]
        if vpc["OwnerId"] != self._target.account_id:
            raise PermanentActionError(
                f"{self._vpc} belongs to account {vpc['OwnerId']}", cause=Cause.WRONG_ACCOUNT
            )
        self.tags = to_tags(vpc.get("Tags"))

    def read(self) -> State:
        """Return the settings of ours, each None where there is none."""
        ours = self._ours()
        if not ours:
            return dict.fromkeys(SETTINGS, ABSENT)
        state = {name: ours[0].get(name) for name in SETTINGS}
        if state["LogDestinationType"] == _TO_CLOUDWATCH:  # some answers give the group's ARN as well
            state["LogDestination"] = ABSENT
        return state

    def others(self) -> list[Mapping[str, Any]]:
        """Return those that somebody else made."""
        return [log for log in self._all() if not is_ours(log.get("Tags", ()))]

    def refuse_undelivered(self) -> None:
        """Refuse where EC2 says that records cannot be delivered.

        Raises:
            PermanentActionError: says what EC2 says.
        """
        for log in self._ours():
            if log.get("DeliverLogsStatus") == "FAILED":
                why = log.get("DeliverLogsErrorMessage", "no reason given")
                raise PermanentActionError(
                    f"The flow log of {self._vpc} cannot deliver: {why}", cause=Cause.NOT_VERIFIED
                )

    def create(self, state: State) -> str:
        settings = {name: value for name, value in state.items() if value is not ABSENT}
        with aws_errors(f"create a flow log for {self._vpc}"):
            response = self._ec2.create_flow_logs(
                ResourceIds=[self._vpc],
                ResourceType="VPC",
                # One for all tries of this call: EC2 makes one flow log of them.
                ClientToken=str(uuid.uuid4()),
                TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": list(TAGS)}],
                **settings,
            )
        self._refuse_unsuccessful(response, "create a flow log for")
        return request_id(response)

    def delete(self) -> tuple[str, ...]:
        ids = [str(log["FlowLogId"]) for log in self._ours()]
        if not ids:
            return ()
        with aws_errors(f"delete the flow log of {self._vpc}"):
            response = self._ec2.delete_flow_logs(FlowLogIds=ids)
        self._refuse_unsuccessful(response, "delete the flow log of")
        return (request_id(response),)

    def _refuse_unsuccessful(self, response: dict[str, Any], doing: str) -> None:
        """Refuse an answer that lists failures: EC2 sends them with HTTP 200."""
        for failed in response.get("Unsuccessful", ()):
            error = failed.get("Error", {})
            raise PermanentActionError(
                f"Could not {doing} {self._vpc}: {error.get('Message', '')} ({error.get('Code', '')})",
                cause=Cause.INVALID,
                request_id=request_id(response) or None,
            )

    def _ours(self) -> list[Mapping[str, Any]]:
        return [log for log in self._all() if is_ours(log.get("Tags", ()))]

    def _all(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        more: dict[str, str] = {}
        with aws_errors(f"read the flow logs of {self._vpc}"):
            while True:
                page = self._ec2.describe_flow_logs(
                    Filters=[{"Name": "resource-id", "Values": [self._vpc]}], **more
                )
                found.extend(page["FlowLogs"])
                if not page.get("NextToken"):
                    return found
                more = {"NextToken": page["NextToken"]}


def describe(log: Mapping[str, Any]) -> str:
    """Name a flow log and where it goes."""
    place = log.get("LogDestination") or log.get("LogGroupName") or "an unknown place"
    return f"{log.get('FlowLogId')} to {place}"


def vpc_arn(resource: str) -> Arn:
    """Return a VPC's ARN.

    Raises:
        PermanentActionError: it is none.
    """
    arn = Arn.parse(resource)
    if arn is None or arn.service != "ec2" or not arn.region or not _VPC.fullmatch(arn.resource):
        raise PermanentActionError(f"“{resource[:120]}” is not a VPC's ARN", cause=Cause.INVALID)
    return arn
