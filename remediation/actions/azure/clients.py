"""Azure's clients, made when first used: importing this loads no SDK."""

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from audit.errors import Cause, PermanentActionError
from remediation.actions.azure.pipeline import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, make_policies

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

NETWORK, STORAGE = "azure-network", "azure-storage"
# Between two looks at an operation that is under way, where Azure does not say.
POLL_S = 2
_CHATTY = ("azure", "msal", "urllib3")


class AzureClients(Protocol):
    """Hands out a client for a service in a subscription."""

    def client(self, service: str, *, subscription: str) -> Any:  # noqa: ANN401 - the SDK's classes are not imported here
        """Return a client.

        Raises:
            ActionError: the SDK is not installed, or there are no credentials to make it with.
        """


class AzureSdkClients:
    """Clients on the default Azure credential, one per service and subscription, shared between threads.

    Args:
        overrides: clients to use instead, by service (`azure-network`, `azure-storage`).
        base_url: where the resource manager is, if not where the SDK's cloud setting says.
        credential: the credential to use in place of `DefaultAzureCredential`.
        authentication_policy: the SDK's policy that puts it on each request, in place of the usual one.
    """

    def __init__(
        self,
        overrides: Mapping[str, object] | None = None,
        *,
        base_url: str | None = None,
        credential: "TokenCredential | None" = None,
        authentication_policy: object = None,
    ) -> None:
        self._overrides = dict(overrides or {})
        self._base_url = base_url
        self._credential = credential
        self._authentication_policy = authentication_policy
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, *, subscription: str) -> Any:  # noqa: ANN401 - see the protocol
        """Return a client; see `AzureClients.client`."""
        if service in self._overrides:
            return self._overrides[service]
        with self._lock:
            key = (service, subscription)
            if key not in self._made:
                self._made[key] = self._make(service, subscription)
            return self._made[key]

    def close(self) -> None:
        """Close the connections of the clients made here."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    def _make(self, service: str, subscription: str) -> Any:  # noqa: ANN401 - see the protocol
        try:
            kind = _client_class(service)
            self._credential = self._credential or _default_credential()
        except ImportError:
            raise PermanentActionError(
                "The Azure SDK is not installed: pip install 'countersign[azure]'", cause=Cause.NOT_INSTALLED
            ) from None
        quiet_sdk_loggers()
        return kind(
            self._credential,
            subscription,
            base_url=self._base_url,
            policies=make_policies(self._credential, self._authentication_policy),
            polling_interval=POLL_S,
            connection_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
        )


def _client_class(service: str) -> Any:  # noqa: ANN401 - see the protocol
    if service == NETWORK:
        from azure.mgmt.network import NetworkManagementClient

        return NetworkManagementClient
    from azure.mgmt.storage import StorageManagementClient

    return StorageManagementClient


def _default_credential() -> "TokenCredential":
    """Return the default chain. It asks nobody yet, and never opens a browser: that is its default."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def quiet_sdk_loggers() -> None:
    """Pin the SDK's loggers to WARNING: at DEBUG they print requests, answers and tokens."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
