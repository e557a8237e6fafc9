"""Several services of one account on moto's server, for actions that need more than one."""

from collections.abc import Callable
from typing import Any

from remediation.actions.aws.clients import Access
from remediation.actions.registry import ActionRegistry
from tests.contract.cases.contract import aws_registry
from tests.fakes.moto_clients import moto_client

ACCOUNT = "123456789012"


class MotoClients:
    """Hands out clients of any service and region on one endpoint; `wrap`, where given, goes around each.

    `asked` keeps what every client was asked to be able to do.
    """

    def __init__(self, endpoint: str, *, wrap: Callable[[Any], Any] | None = None) -> None:
        self._endpoint = endpoint
        self._wrap = wrap
        self.asked: list[tuple[str, str, Access]] = []

    def client(self, service: str, *, region: str, access: Access) -> Any:
        self.asked.append((service, region, access))
        client = self.raw(service, region=region)
        return self._wrap(client) if self._wrap else client

    def account_id(self) -> str:
        return ACCOUNT

    def raw(self, service: str, *, region: str = "us-east-1") -> Any:
        """Return a client as a stranger has it."""
        return moto_client(service, self._endpoint, region)

    def registry(self, wrap: Callable[[Any], Any] | None = None) -> ActionRegistry:
        return aws_registry(MotoClients(self._endpoint, wrap=wrap))
