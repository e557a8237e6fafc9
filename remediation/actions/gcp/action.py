"""What all actions on Google Cloud share: where their clients come from, and in whose project they act."""

from typing import ClassVar, TypeVar

from audit.errors import Cause, TemporaryActionError
from remediation.actions.contract import Action, Params, Permissions
from remediation.actions.gcp.clients import GcpClients
from remediation.actions.gcp.names import PROVIDER
from remediation.plan import ActionPlan, State, Target, changes_between

P = TypeVar("P", bound=Params)


class GcpAction(Action[P]):
    """An action on Google Cloud. `permissions` holds IAM permissions, such as `storage.buckets.get`."""

    action_type = "gcp"
    permissions: ClassVar[Permissions]

    def __init__(self, clients: GcpClients) -> None:
        self._clients = clients

    def project(self, named: str) -> str:
        """Return the project that a resource or its finding names, else the credentials' own.

        Raises:
            ActionError: nobody names one.
        """
        return named or self._clients.project_id()


def gcp_target(resource: str, *, project: str, region: str = "") -> Target:
    """Return the target under its one canonical name, so that rules about names cannot be walked around."""
    return Target(provider=PROVIDER, resource=resource, account_id=project, region=region)


def require_between(actual: State, plan: ActionPlan) -> None:
    """Let a write pass while each setting is as before or as planned: ours to change, or changed by us already.

    Raises:
        TemporaryActionError: somebody else changed one; names it.
    """
    for change in changes_between(plan.before, actual):
        if change.after != plan.after.get(change.setting):
            raise TemporaryActionError(
                f"Could not write to {plan.target.resource}: {change.setting} is {change.after} by now",
                cause=Cause.CHANGED_MEANWHILE,
            )
