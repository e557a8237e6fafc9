"""What all actions on Azure share: clients for a resource's subscription, and waiting for what Azure does later."""

from typing import Any, ClassVar, TypeVar

from audit.errors import Cause, TemporaryActionError
from remediation.actions.azure.arm_id import ArmId
from remediation.actions.azure.clients import NETWORK, STORAGE, AzureClients
from remediation.actions.azure.errors import azure_errors, request_id
from remediation.actions.contract import Action, Params, Permissions

P = TypeVar("P", bound=Params)
# For one operation that Azure goes on with after its answer. Measured from the answer on.
OPERATION_DEADLINE_S = 45.0


class AzureAction(Action[P]):
    """An action on Azure. `permissions` holds actions of Azure's roles, such as `Microsoft.Storage/storageAccounts/read`."""

    action_type = "azure"
    permissions: ClassVar[Permissions]

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients

    def network(self, arm_id: ArmId) -> Any:  # noqa: ANN401 - see `AzureClients`
        """Return a client of the network provider for a resource's subscription."""
        return self._clients.client(NETWORK, subscription=arm_id.subscription)

    def storage(self, arm_id: ArmId) -> Any:  # noqa: ANN401 - see `AzureClients`
        """Return a client of the storage provider for a resource's subscription."""
        return self._clients.client(STORAGE, subscription=arm_id.subscription)


class Answers:
    """Collects Azure's ids of the requests of one call; the first is the one that wrote."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def __call__(self, response: Any) -> None:  # noqa: ANN401 - the SDK's hook
        """Take note of a response."""
        self._ids.append(request_id(response.http_response.headers))

    def written(self) -> tuple[str, ...]:
        """Return the id of the request that wrote."""
        return tuple(filter(None, self._ids[:1]))


def finish(poller: Any, doing: str, *, deadline_s: float = OPERATION_DEADLINE_S) -> None:  # noqa: ANN401 - an `LROPoller` of any model
    """Wait until Azure has done it.

    Raises:
        ActionError: it failed, or is still under way at the deadline.
    """
    with azure_errors(doing):
        # Past the deadline this returns all the same, without a word.
        poller.result(timeout=deadline_s)
    if not poller.done():
        raise TemporaryActionError(
            f"Could not {doing}: Azure was still at it after {deadline_s:.0f} s", cause=Cause.TIMED_OUT
        )
