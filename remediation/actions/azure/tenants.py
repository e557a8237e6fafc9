"""Clients per tenant: a token for one tenant opens no subscription of another."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.azure.accounts import AzureAccounts
from remediation.actions.azure.clients import AzureClients, AzureSdkClients

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
RETRIES = 3
_CHATTY = ("azure", "msal", "urllib3")
ChainOf = Callable[[str], Any]


class TenantClients:
    """Clients for the subscriptions that are configured, each with tokens of its own tenant.

    Args:
        accounts: which subscriptions, in which tenants.
        make: makes the clients of one tenant from its credential; None stands for the default credential's own tenant.
    """

    def __init__(
        self,
        accounts: AzureAccounts,
        make: "Callable[[TenantCredential | None], AzureClients]" = lambda credential: AzureSdkClients(
            credential=credential
        ),
    ) -> None:
        self._accounts = accounts
        self._make = make
        self._by_tenant: dict[str, AzureClients] = {}
        self._lock = threading.Lock()

    def client(self, service: str, *, subscription: str) -> Any:  # noqa: ANN401 - see `AzureClients`
        """Return a client; see `AzureClients.client`."""
        tenant = self._accounts.tenant_of(subscription)
        with self._lock:
            if tenant not in self._by_tenant:
                self._by_tenant[tenant] = self._make(TenantCredential(tenant) if tenant else None)
        return self._by_tenant[tenant].client(service, subscription=subscription)


def sign_in(tenant: str) -> str:
    """Get a token of a tenant, empty for the default credential's own; return until when it is good.

    Raises:
        ActionError: it cannot be had.
    """
    chain = TenantCredential(tenant) if tenant else default_chain(tenant)
    from remediation.actions.azure.errors import azure_errors

    with azure_errors("get a token"):
        token = chain.get_token("https://management.azure.com/.default")
    return datetime.fromtimestamp(token.expires_on, UTC).isoformat(timespec="minutes")


def default_chain(tenant: str) -> Any:  # noqa: ANN401 - the SDK's classes are not imported here
    """Return the default credential, allowed to ask for tokens of a tenant that is not its own."""
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise PermanentActionError(
            "The Azure SDK is not installed: pip install 'countersign[azure]'", cause=Cause.NOT_INSTALLED
        ) from None
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    return DefaultAzureCredential(
        additionally_allowed_tenants=[tenant],
        connection_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retry_total=RETRIES,
    )


class TenantCredential:
    """The default credential, with one tenant's tokens only: whatever tenant a challenge names is not followed.

    Making it loads no SDK and asks nobody. It is a `TokenCredential` as the SDK's clients take them.
    """

    def __init__(self, tenant: str, chain_of: ChainOf = default_chain) -> None:
        self._tenant = tenant
        self._chain_of = chain_of
        self._chain: Any = None
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":  # noqa: ANN401 - the SDK's own signature
        """Return a token of the tenant."""
        token: AccessToken = self._default().get_token(*scopes, **{**options, "tenant_id": self._tenant})
        return token

    def get_token_info(self, *scopes: str, options: "TokenRequestOptions | None" = None) -> "AccessTokenInfo":
        """Return a token of the tenant, with what is known about it."""
        asked = {**(options or {}), "tenant_id": self._tenant}
        token: AccessTokenInfo = self._default().get_token_info(*scopes, options=asked)
        return token

    def _default(self) -> Any:  # noqa: ANN401 - see `default_chain`
        with self._lock:
            self._chain = self._chain or self._chain_of(self._tenant)
            return self._chain
