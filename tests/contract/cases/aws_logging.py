"""Access logs, trails and flow logs, on moto's server."""

import json
import uuid
from typing import Any, Self

import pytest

from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.cases.aws_services import ACCOUNT, MotoClients
from tests.contract.cases.contract import ActionCase

LOGS = f"logs-{uuid.uuid4().hex[:12]}"
ELSEWHERE = f"elsewhere-{uuid.uuid4().hex[:12]}"
GRANT = {
    "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"},
    "Permission": "READ",
}


def written(service: str, action: str, params: dict[str, object]) -> PlaybookAction:
    return PlaybookAction("step", "aws", {"service": service, "action": action, "params": params})


def let_in(s3: Any, bucket: str, service: str, *, condition: dict[str, object] | None = None) -> None:
    """Let a service deliver into a bucket."""
    extra = {"Condition": condition} if condition else {}
    common = {"Effect": "Allow", "Principal": {"Service": service}, **extra}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {**common, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
            # moto takes no list of resources here, and S3 does.
            {**common, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        ],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


class AwsCase(ActionCase):
    """What the cases here share."""

    def __init__(self, endpoint: str) -> None:
        self.clients = MotoClients(endpoint)
        self.s3 = self.clients.raw("s3")

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("moto_endpoint"))

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return self.clients.registry(wrap)

    def at(self, resource: str, *, region: str = "us-east-1") -> Target:
        return Target(provider="aws", resource=resource, account_id=ACCOUNT, region=region)


class BucketLoggingCase(AwsCase):
    """Where a bucket's access logs go."""

    written = written("s3", "put-bucket-logging", {"TargetBucket": LOGS, "TargetPrefix": "of/{bucket}/"})
    states = {
        "not logging": None,
        "logging elsewhere": {"TargetBucket": ELSEWHERE, "TargetPrefix": ""},
        "logging with grants": {"TargetBucket": ELSEWHERE, "TargetPrefix": "x/", "TargetGrants": [GRANT]},
    }
    unsettled = "not logging"

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.bucket = f"bucket-{uuid.uuid4().hex[:12]}"
        for name in (self.bucket, LOGS, ELSEWHERE):
            self.s3.create_bucket(Bucket=name)
        for name in (LOGS, ELSEWHERE):
            let_in(self.s3, name, "logging.s3.amazonaws.com")

    def target(self) -> Target:
        return self.at(f"arn:aws:s3:::{self.bucket}")

    def set_state(self, name: str) -> None:
        status = {"LoggingEnabled": self.states[name]} if self.states[name] else {}
        self.s3.put_bucket_logging(Bucket=self.bucket, BucketLoggingStatus=status)

    def read_raw(self) -> object:
        return (
            self.s3.get_bucket_logging(Bucket=self.bucket).get("LoggingEnabled"),
            self.s3.get_bucket_policy(Bucket=LOGS)["Policy"],
        )


class TrailCase(AwsCase):
    """What the cases about trails share: an account in which nobody else's test left one."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.trails = self.clients.raw("cloudtrail")
        for trail in self.trails.describe_trails()["trailList"]:
            self.trails.delete_trail(Name=trail["Name"])
        self.s3.create_bucket(Bucket=LOGS)
        let_in(self.s3, LOGS, "cloudtrail.amazonaws.com")

    def read_raw(self) -> object:
        trails = self.trails.describe_trails()["trailList"]
        return [(trail, self._status(trail["TrailARN"])) for trail in trails]

    def _status(self, arn: str) -> object:
        tags = self.trails.list_tags(ResourceIdList=[arn])["ResourceTagList"]
        return self.trails.get_trail_status(Name=arn)["IsLogging"], tags


class StartLoggingCase(TrailCase):
    """A trail that records or not."""

    written = written("cloudtrail", "start-logging", {})
    states = {"stopped": False, "recording": True}
    unsettled = "stopped"

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.arn = self.trails.create_trail(Name=f"trail-{uuid.uuid4().hex[:8]}", S3BucketName=LOGS)[
            "TrailARN"
        ]

    def target(self) -> Target:
        return self.at(self.arn)

    def set_state(self, name: str) -> None:
        change = self.trails.start_logging if self.states[name] else self.trails.stop_logging
        change(Name=self.arn)


class CreateTrailCase(TrailCase):
    """An account without a trail."""

    written = written(
        "cloudtrail", "create-trail", {"Name": "ours", "S3BucketName": LOGS, "S3KeyPrefix": "t"}
    )
    states = {"no trail": None, "ours already": True}
    unsettled = "no trail"

    def target(self) -> Target:
        return self.at(f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail")

    def set_state(self, name: str) -> None:
        if self.states[name]:
            plan = self.registry().resolve(self.written).plan(self.target())
            self.action()[0].apply(plan)


class FlowLogsCase(AwsCase):
    """Who records a VPC."""

    written = written(
        "ec2",
        "create-flow-logs",
        {"LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::{LOGS}"},
    )
    states = {"nobody": None, "somebody": True}
    unsettled = "nobody"

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.ec2 = self.clients.raw("ec2", region="eu-west-1")
        self.s3.create_bucket(Bucket=LOGS)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def target(self) -> Target:
        return self.at(f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc/{self.vpc}", region="eu-west-1")

    def set_state(self, name: str) -> None:
        if self.states[name]:
            self.record()

    def record(self, **tags: Any) -> None:
        """Let somebody record the VPC."""
        self.ec2.create_flow_logs(
            ResourceIds=[self.vpc],
            ResourceType="VPC",
            TrafficType="REJECT",
            LogGroupName="theirs",
            DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/theirs",
            **tags,
        )

    def read_raw(self) -> object:
        where = [{"Name": "resource-id", "Values": [self.vpc]}]
        logs = self.ec2.describe_flow_logs(Filters=where)["FlowLogs"]
        return [(log["TrafficType"], log.get("LogDestination"), log.get("Tags")) for log in logs]
