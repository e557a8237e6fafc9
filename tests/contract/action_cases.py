"""One case per action: what it is pointed at, and how a stranger would change or read it.

A new action joins by adding its case; the suite in `test_actions.py` then holds it to the contract.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from remediation.actions.aws.clients import Access, AwsClients
from remediation.actions.clouds import Clouds
from remediation.actions.contract import Action, Params
from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction


class OneClient:
    """Hands out the same client whatever is asked for."""

    def __init__(self, client: object) -> None:
        self._client = client

    def client(self, service: str, *, region: str, access: Access) -> Any:
        return self._client

    def account_id(self) -> str:
        return "123456789012"


def aws_registry(clients: AwsClients) -> ActionRegistry:
    """Return all actions, those on AWS with these clients."""
    return ActionRegistry.standard(Clouds(aws=clients))


class ActionCase(ABC):
    """Everything the contract suite needs to know about one action."""

    written: PlaybookAction
    states: Mapping[str, object]

    @abstractmethod
    def target(self) -> Target: ...

    @abstractmethod
    def set_state(self, name: str) -> None:
        """Bring the resource into one of the named starting states, behind the action's back."""

    @abstractmethod
    def read_raw(self) -> object:
        """Read the resource without the action."""

    @abstractmethod
    def registry(self, *, wrap: Any = None) -> ActionRegistry: ...

    def action(self) -> tuple[Action[Any], Params]:
        step = self.registry().resolve(self.written)
        return step.action, step.params


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

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket

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
