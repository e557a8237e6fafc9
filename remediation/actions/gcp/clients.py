"""Google Cloud's clients, made when first used: importing this loads no SDK."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from audit.errors import Cause, PermanentActionError
from remediation.actions.gcp.rest import GoogleRest

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_CHATTY = (
    "google",
    "google.api_core",
    "google.auth",
    "google.auth._default",
    "google.auth.transport.requests",
    "google.cloud",
    "google.cloud.compute_v1",
    "google.cloud.storage",
    "google.oauth2",
    "requests",
    "urllib3",
)
_API_OF = {
    "gcs": "storage",
    "firewalls": "compute",
    "subnetworks": "compute",
    "global_operations": "compute",
    "region_operations": "compute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for Google: per attempt, for a call with all its repetitions, and for what goes on after it.

    `operation_s` is for a compute operation to end, `proof_s` for a new key to become known everywhere. A call and its
    operation together stay under `OWNER_LOST_AFTER`: else a process that died in the middle is replaced while the cloud still works.
    """

    connect_s: float = 3
    read_s: float = 10
    total_s: float = 30
    operation_s: float = 50
    proof_s: float = 60

    @property
    def attempt(self) -> tuple[float, float]:
        """Return the time-outs of one attempt, as `requests` takes them."""
        return (self.connect_s, self.read_s)


class GcpClients(Protocol):
    """Hands out a client for a service in a project.

    The services are `gcs`, `firewalls`, `subnetworks`, `global_operations`, `region_operations` (the SDK's clients) and
    `google_rest` (a `GoogleRest`, for what has no REST client in the SDK).
    """

    @property
    def patience(self) -> Patience:
        """Return how long to wait for an answer."""

    def client(self, service: str, *, project: str) -> Any:  # noqa: ANN401 - the SDK's classes are not imported here
        """Return a client.

        Raises:
            ActionError: the SDK is not installed, or there are no credentials to make it with.
        """

    def project_id(self) -> str:
        """Return the project that the credentials belong to.

        Raises:
            ActionError: it cannot be found out.
        """


class GoogleClients:
    """Clients on the application default credentials, one per service and project, shared between threads.

    Args:
        overrides: maps a service name to a client to use instead (tests, special endpoints).
        impersonate: returns the address of the service account to act as in a project; None: as ourselves.
        endpoints: maps an API (`compute`, `storage`, `iam`, `secretmanager`, `iamcredentials`) to another address than
            Google's public one, such as a Private Service Connect endpoint.
        patience: how long to wait for an answer.
    """

    def __init__(
        self,
        overrides: Mapping[str, object] | None = None,
        *,
        impersonate: Callable[[str], str | None] | None = None,
        endpoints: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.patience = patience or Patience()
        self._overrides = dict(overrides or {})
        self._impersonate = impersonate or (lambda _project: None)
        self._endpoints = dict(endpoints or {})
        self._made: dict[tuple[str, str], object] = {}
        self._lock = threading.Lock()

    def client(self, service: str, *, project: str) -> Any:  # noqa: ANN401 - see the protocol
        """Return a client; see `GcpClients.client`."""
        if service in self._overrides:
            return self._overrides[service]
        with self._lock:
            key = (service, project)
            if key not in self._made:
                self._made[key] = self._make(service, project)
            return self._made[key]

    def project_id(self) -> str:
        """Return the project; see `GcpClients.project_id`."""
        if self._overrides:
            raise PermanentActionError("The finding names no project to act in", cause=Cause.WRONG_ACCOUNT)
        _, project = _load_default()
        if not project:
            raise PermanentActionError(
                "The finding names no project, and neither do the bot's credentials",
                cause=Cause.WRONG_ACCOUNT,
            )
        return project

    def sign_in(self, project: str) -> str:
        """Get a token as whoever acts in a project, empty for as ourselves; return who that is.

        Raises:
            ActionError: it cannot be had.
        """
        from google.auth.transport.requests import Request

        from remediation.actions.gcp.errors import google_errors

        credentials, _ = _load_default()
        account = self._impersonate(project) if project else None
        if account:
            credentials = _impersonated(credentials, account, self._endpoints.get("iamcredentials"))
        with google_errors("get a token"):
            credentials.refresh(Request())
        return str(account or getattr(credentials, "service_account_email", "") or "a person's credentials")

    def _make(self, service: str, project: str) -> object:
        credentials, _ = _load_default()
        if account := self._impersonate(project):
            credentials = _impersonated(credentials, account, self._endpoints.get("iamcredentials"))
        if service == "google_rest":
            return _make_rest(credentials, self._endpoints, self.patience)
        endpoint = self._endpoints.get(_API_OF.get(service, ""))
        return _make_sdk_client(service, project, credentials, endpoint)


def _load_default() -> tuple[Any, str | None]:
    """Return the application default credentials and the project they name."""
    try:
        import google.auth
    except ImportError:
        raise _not_installed() from None
    quiet_sdk_loggers()
    from remediation.actions.gcp.errors import google_errors

    with google_errors("find the bot's Google credentials"):
        credentials, project = google.auth.default(scopes=[SCOPE])
    return credentials, project


def _impersonated(source: Any, account: str, endpoint: str | None) -> Any:  # noqa: ANN401 - google-auth has no types
    """Return credentials of a service account that ours may act as."""
    from google.auth import impersonated_credentials

    where = f"{endpoint}/v1/projects/-/serviceAccounts/{account}:generateAccessToken" if endpoint else None
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source, target_principal=account, target_scopes=[SCOPE], iam_endpoint_override=where
    )


def _make_rest(credentials: Any, endpoints: Mapping[str, str], patience: Patience) -> GoogleRest:  # noqa: ANN401
    from google.auth.transport.requests import AuthorizedSession

    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    return GoogleRest(session, attempt_s=patience.attempt, total_s=patience.total_s, endpoints=endpoints)


def _make_sdk_client(service: str, project: str, credentials: Any, endpoint: str | None) -> object:  # noqa: ANN401
    options = {"api_endpoint": endpoint} if endpoint else None
    try:
        if service == "gcs":
            from google.cloud.storage import Client  # type: ignore[import-untyped]

            return Client(project=project, credentials=credentials, client_options=options)
        return _compute_class(service)(credentials=credentials, client_options=options)
    except ImportError:
        raise _not_installed() from None


def _compute_class(service: str) -> Any:  # noqa: ANN401 - one of the SDK's client classes
    from google.cloud import compute_v1

    return {
        "firewalls": compute_v1.FirewallsClient,
        "subnetworks": compute_v1.SubnetworksClient,
        "global_operations": compute_v1.GlobalOperationsClient,
        "region_operations": compute_v1.RegionOperationsClient,
    }[service]


def _not_installed() -> PermanentActionError:
    return PermanentActionError(
        "Google's SDK is not installed: pip install 'countersign[gcp]'", cause=Cause.NOT_INSTALLED
    )


def quiet_sdk_loggers() -> None:
    """Pin the SDK's loggers to WARNING: at DEBUG google-auth logs what is sent, and what it leaves out of it is its own choice."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
