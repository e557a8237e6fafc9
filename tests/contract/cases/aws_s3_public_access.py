"""A bucket's public access block, on moto's server."""

from typing import Any, Self

import pytest

from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry


class S3PublicAccessCase(ActionCase):
    """A bucket's public access block on moto's server."""

    written = PlaybookAction(
        "block",
        "aws",
        {
            "service": "s3",
            "action": "put-public-access-block",
            "params": {
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        },
    )
    states = {
        "absent": None,
        "all off": (False, False, False, False),
        "half on": (True, False, True, False),
        "all on": (True, True, True, True),
    }
    flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

    unsettled = "half on"

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("s3"), request.getfixturevalue("bucket"))

    def target(self) -> Target:
        return Target(
            provider="aws",
            resource=f"arn:aws:s3:::{self.bucket}",
            account_id="123456789012",
            region="us-east-1",
        )

    def set_state(self, name: str) -> None:
        values = self.states[name]
        if values is None:
            self.s3.delete_public_access_block(Bucket=self.bucket)
            return
        block = dict(zip(self.flags, values, strict=True))
        self.s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=block)

    def read_raw(self) -> object:
        try:
            return self.s3.get_public_access_block(Bucket=self.bucket)["PublicAccessBlockConfiguration"]
        except self.s3.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return aws_registry(OneClient(wrap(self.s3) if wrap else self.s3))
