"""SDK clients of moto's server: one of a kind for all tests, for making one reads a whole model of the service."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# moto breaks on some questions (for the default KMS key of EC2), and would break again.
ONCE = Config(retries={"total_max_attempts": 1})


@cache
def moto_client(service: str, endpoint: str, region: str = "us-east-1", config: Config | None = None) -> Any:
    """Return a client of any service and region. Not to be changed: others have it too."""
    return boto3.client(service, endpoint_url=endpoint, region_name=region, config=config)  # type: ignore[call-overload]


@cache
def account_client(endpoint: str) -> Any:
    """Return a client for the account's own S3 settings."""
    # Not the one of all: this one is changed.
    client = boto3.client("s3control", endpoint_url=endpoint, region_name="us-east-1")
    client.meta.events.register("before-send.s3-control", _keep_to_the_host)
    return client


def _keep_to_the_host(request: Any, **_: object) -> None:
    """Take the account out of the host's name, where botocore puts it: no such host is at moto's address."""
    request.url = request.url.replace("//123456789012.", "//")
