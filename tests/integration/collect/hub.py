"""Security Hub of an account on moto's server, as the bot's clients would reach it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from tests.conftest import ACCOUNT

_NUMBERS = itertools.count(600000000000)
_ONCE = Config(retries={"total_max_attempts": 1})
_AT_ONCE = 100


def to_asff(number: int, region: str, *, status: str = "FAILED") -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"arn:aws:securityhub:{region}:{ACCOUNT}:finding/{number}",
        "ProductArn": f"arn:aws:securityhub:{region}::product/aws/securityhub",
        "GeneratorId": "security-control/S3.8",
        "AwsAccountId": ACCOUNT,
        "Region": region,
        "CreatedAt": "2026-11-20T10:00:00Z",
        "UpdatedAt": "2026-11-21T10:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "S3 buckets should block public access",
        "Description": "Says whether the bucket blocks public access.",
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::bucket-{number}"}],
        "Compliance": {"Status": status, "SecurityControlId": "S3.8"},
        "RecordState": "ACTIVE",
    }


def new_keys(endpoint: str) -> dict[str, str]:
    """Return credentials of an account that nobody else has: moto keeps what was imported."""
    sts = boto3.client("sts", endpoint_url=endpoint, region_name="us-east-1")
    role = f"arn:aws:iam::{next(_NUMBERS)}:role/audit"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


@dataclass
class Hub:
    """Security Hub of one region; what it was asked, and a page that fails (-1: all do). `before` runs before each answer."""

    endpoint: str
    region: str = "eu-central-1"
    keys: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    fails_at: int = 0
    code: str = "InternalException"
    before: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.hub = boto3.client(
            "securityhub", endpoint_url=self.endpoint, region_name=self.region, config=_ONCE, **self.keys
        )
        self.exceptions = self.hub.exceptions

    def fill(self, count: int) -> None:
        self.put([to_asff(number, self.region) for number in range(count)])

    def put(self, records: list[dict[str, Any]]) -> None:
        for first in range(0, len(records), _AT_ONCE):
            self.hub.batch_import_findings(Findings=records[first : first + _AT_ONCE])

    def client(self, service: str, *, region: str, access: Any) -> Any:
        assert (service, region) == ("securityhub", self.region)
        assert access.allowed == (("securityhub:GetFindings", "*"),)
        return self

    def account_id(self) -> str:
        return ACCOUNT

    def get_findings(self, **arguments: Any) -> Any:
        self.before()
        self.asked.append(arguments)
        if self.fails_at in {-1, len(self.asked)}:
            raise self.exceptions.ClientError({"Error": {"Code": self.code, "Message": "no"}}, "GetFindings")
        return self.hub.get_findings(**arguments)
