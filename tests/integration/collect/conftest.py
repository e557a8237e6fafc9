"""Accounts of moto's server, each of them new, and clients on them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.iam.models import iam_backends

from audit.collect import Account, Reader
from remediation.actions.aws.errors import aws_errors
from tests.conftest import NOW

REGIONS = ("us-east-1", "eu-central-1")
_NUMBERS = itertools.count(300000000000)
_ONCE = Config(retries={"total_max_attempts": 1})


@dataclass
class World:
    """One account, and everything a test does to it."""

    endpoint: str
    account_id: str
    made: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "") -> Any:
        where = region or "us-east-1"
        if (service, where) not in self.made:
            self.made[service, where] = self._make(service, where)
        return self.made[service, where]

    def _make(self, service: str, region: str) -> Any:
        own = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        sts = boto3.client("sts", endpoint_url=self.endpoint, region_name="us-east-1", **own)
        role = f"arn:aws:iam::{self.account_id}:role/audit"
        keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        client = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            config=_ONCE,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        if service == "s3control":
            client.meta.events.register("before-send.s3-control", self._keep_to_the_host)
        return client

    def _keep_to_the_host(self, request: Any, **_: object) -> None:
        request.url = request.url.replace(f"//{self.account_id}.", "//")

    def protect_root(self) -> None:
        """Give the root user MFA: no API does, so the server is told directly."""
        iam_backends[self.account_id]["aws"].account_summary._account_mfa_enabled = 1

    @property
    def account(self) -> Account:
        return Account(account_id=self.account_id, regions=REGIONS, when=NOW)

    @property
    def reader(self) -> Reader:
        return self.reader_with(self.client)

    def reader_with(self, clients: Callable[[str, str], Any], pauses: list[float] | None = None) -> Reader:
        waited = pauses if pauses is not None else []
        return Reader(clients=clients, explain=aws_errors, sleep=waited.append)


def new_world(endpoint: str) -> World:
    """Return an account nobody has used, however often a fixture is set up in one process."""
    return World(endpoint, str(next(_NUMBERS)))


@pytest.fixture
def world(moto_endpoint: str) -> World:
    return new_world(moto_endpoint)
