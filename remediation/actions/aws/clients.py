"""boto3 clients, made when first used: importing this loads no SDK."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from audit.errors import Cause, PermanentActionError

if TYPE_CHECKING:
    from botocore.client import BaseClient

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
ATTEMPTS = 4
_STS_REGION = "us-east-1"
_CHATTY = ("boto3", "botocore", "s3transfer", "urllib3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client's credentials have to reach: the account, and the IAM actions with the ARN each is needed on.

    Credentials may be narrowed to this and must not be wider where they can be. Without an account, the credentials' own.
    """

    account_id: str = ""
    allowed: tuple[tuple[str, str], ...] = ()


class AwsClients(Protocol):
    """Hands out a client for a service in a region."""

    def client(self, service: str, *, region: str, access: Access) -> Any:  # noqa: ANN401 - botocore makes client classes at run time
        """Return a client. It is made, or narrowed, for this access.

        Raises:
            ActionError: the SDK is not installed, or there is no region or credential to make it with.
        """

    def account_id(self) -> str:
        """Return the account that the credentials belong to.

        Raises:
            ActionError: it cannot be found out.
        """


class Boto3Clients:
    """Clients on the default credential chain, one per service and region, shared between threads.

    `overrides` maps a service name to a client to use instead (tests, special endpoints).
    """

    def __init__(self, overrides: Mapping[str, object] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._made: dict[tuple[str, str], BaseClient] = {}
        self._lock = threading.Lock()

    def client(self, service: str, *, region: str, access: Access) -> Any:  # noqa: ANN401, ARG002 - see the protocol
        """Return a client; see `AwsClients.client`."""
        if service in self._overrides:
            return self._overrides[service]
        with self._lock:  # boto3's session is not safe to share while it makes clients
            key = (service, region)
            if key not in self._made:
                self._made[key] = _make_client(service, region)
            return self._made[key]

    def account_id(self) -> str:
        """Return the account; see `AwsClients.account_id`."""
        from remediation.actions.aws.errors import aws_errors

        if self._overrides and "sts" not in self._overrides:
            raise PermanentActionError("The finding names no account to act in", cause=Cause.WRONG_ACCOUNT)
        with aws_errors("find out which account the credentials belong to"):
            return str(
                self.client("sts", region=_STS_REGION, access=Access()).get_caller_identity()["Account"]
            )


def _make_client(service: str, region: str) -> "BaseClient":
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise PermanentActionError(
            "The AWS SDK is not installed: pip install 'countersign[aws]'", cause=Cause.NOT_INSTALLED
        ) from None
    quiet_sdk_loggers()
    from remediation.actions.aws.errors import aws_errors

    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
    )
    with aws_errors(f"make a client for {service}"):
        client: BaseClient = boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]
    return client


def quiet_sdk_loggers() -> None:
    """Pin the SDK's loggers to WARNING: at DEBUG botocore prints request bodies and new secret keys."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
