"""VPC firewall rules and subnetworks: read, patched, and waited for.

A patch answers with an operation. The SDK's own `result()` would poll at Google's public address whatever endpoint was set, so we
wait with an operations client of our own. A patch carries a request id, so that repeating it after a lost answer does it once.
"""

import time
import uuid
from typing import Any

from audit.errors import Cause, TemporaryActionError
from remediation.actions.contract import Permissions
from remediation.actions.gcp.clients import GcpClients
from remediation.actions.gcp.errors import google_errors, status_error
from remediation.actions.gcp.names import Located
from remediation.actions.gcp.rest import google_retry

_PATCH = ("compute.firewalls.update", "compute.networks.updatePolicy", "compute.globalOperations.get")
FIREWALL_PERMISSIONS = Permissions(plan=("compute.firewalls.get",), apply=_PATCH, rollback=_PATCH)
"""What it takes to read a firewall rule, and to patch it either way."""
_HTTP_UNKNOWN = 400


class Compute:
    """Compute Engine in one project."""

    def __init__(self, clients: GcpClients, project: str) -> None:
        self._clients = clients
        self._project = project

    def firewall(self, name: str) -> Any:  # noqa: ANN401 - compute_v1.Firewall
        """Return a firewall rule.

        Raises:
            ActionError: it cannot be read.
        """
        with google_errors(f"read the firewall rule {name}"):
            return self._client("firewalls").get(project=self._project, firewall=name, **self._how())

    def patch_firewall(self, name: str, **settings: object) -> tuple[str, ...]:
        """Write settings of a firewall rule, wait until they are in force, and return the operation's name.

        Raises:
            ActionError: they are not, or nobody can tell yet.
        """
        doing = f"write to the firewall rule {name}"
        with google_errors(doing):
            from google.cloud import compute_v1

            request = compute_v1.PatchFirewallRequest(
                project=self._project,
                firewall=name,
                firewall_resource=compute_v1.Firewall(**settings),
                request_id=str(uuid.uuid4()),
            )
            operation = self._client("firewalls").patch_unary(request=request, **self._how())
            return self._wait(operation, doing, self._client("global_operations"), {})

    def subnetwork(self, where: Located) -> Any:  # noqa: ANN401 - compute_v1.Subnetwork
        """Return a subnetwork.

        Raises:
            ActionError: it cannot be read.
        """
        with google_errors(f"read the subnetwork {where.name} in {where.region}"):
            return self._client("subnetworks").get(
                project=self._project, region=where.region, subnetwork=where.name, **self._how()
            )

    def patch_subnetwork(self, where: Located, **settings: object) -> tuple[str, ...]:
        """Write settings of a subnetwork, its fingerprint among them; otherwise like `patch_firewall`.

        Raises:
            ActionError: they are not in force, or nobody can tell yet.
        """
        doing = f"write to the subnetwork {where.name} in {where.region}"
        with google_errors(doing):
            from google.cloud import compute_v1

            request = compute_v1.PatchSubnetworkRequest(
                project=self._project,
                region=where.region,
                subnetwork=where.name,
                subnetwork_resource=compute_v1.Subnetwork(**settings),
                request_id=str(uuid.uuid4()),
            )
            operation = self._client("subnetworks").patch_unary(request=request, **self._how())
            return self._wait(operation, doing, self._client("region_operations"), {"region": where.region})

    def _client(self, service: str) -> Any:  # noqa: ANN401 - see `GcpClients`
        return self._clients.client(service, project=self._project)

    def _how(self) -> dict[str, Any]:
        patience = self._clients.patience
        # The SDK hands `timeout` to `requests` as it is.
        return {"timeout": patience.read_s, "retry": google_retry(patience.total_s)}

    def _wait(self, operation: Any, doing: str, operations: Any, where: dict[str, str]) -> tuple[str, ...]:  # noqa: ANN401
        """Wait until an operation has ended well, within the time for it."""
        give_up_at = time.monotonic() + self._clients.patience.operation_s
        while operation.status.name != "DONE":
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                raise TemporaryActionError(
                    f"Could not {doing}: it takes longer than {self._clients.patience.operation_s:.0f} s",
                    cause=Cause.TIMED_OUT,
                    request_id=operation.name,
                )
            # Google answers a `wait` when the operation has ended, at the latest after two minutes.
            operation = operations.wait(
                project=self._project,
                operation=operation.name,
                **where,
                **self._how() | {"timeout": left_s + self._clients.patience.connect_s},
            )
        _require_success(operation, doing)
        return (str(operation.name),)


def _require_success(operation: Any, doing: str) -> None:  # noqa: ANN401 - compute_v1.Operation
    errors = list(operation.error.errors)
    if errors or operation.http_error_status_code:
        said = "; ".join(f"{error.message or error.code}" for error in errors)
        raise status_error(
            operation.http_error_status_code or _HTTP_UNKNOWN,
            said or operation.http_error_message,
            doing=doing,
            request_id=operation.name,
        )
