"""An account's public access block, on moto's server."""

from typing import Any, Self

import pytest

from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry

_ACCOUNT = "123456789012"


class AccountPublicAccessCase(ActionCase):
    """The account's block, which all tests of a process share: each sets it first."""

    written = PlaybookAction("block", "aws", {**S3PublicAccessCase.written.params, "service": "s3control"})
    states = S3PublicAccessCase.states
    unsettled = "half on"

    def __init__(self, s3control: Any) -> None:
        self.s3control = s3control

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("s3control"))

    def target(self) -> Target:
        return Target(
            provider="aws",
            resource=f"arn:aws:s3:us-east-1:{_ACCOUNT}:account",
            account_id=_ACCOUNT,
            region="us-east-1",
        )

    def set_state(self, name: str) -> None:
        values = self.states[name]
        if values is None:
            self.s3control.delete_public_access_block(AccountId=_ACCOUNT)
            return
        block = dict(zip(S3PublicAccessCase.flags, values, strict=True))
        self.s3control.put_public_access_block(AccountId=_ACCOUNT, PublicAccessBlockConfiguration=block)

    def read_raw(self) -> object:
        try:
            answer = self.s3control.get_public_access_block(AccountId=_ACCOUNT)
        except self.s3control.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return answer["PublicAccessBlockConfiguration"]

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return aws_registry(OneClient(wrap(self.s3control) if wrap else self.s3control))
