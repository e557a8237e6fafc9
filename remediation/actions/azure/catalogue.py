"""The actions on Azure that ship with the product."""

from typing import Any

from remediation.actions.azure.clients import AzureClients
from remediation.actions.contract import Action


def azure_actions(clients: AzureClients) -> list[Action[Any]]:  # noqa: ARG001 - the first action uses it
    """Return them all."""
    return []
