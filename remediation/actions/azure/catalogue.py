"""The actions on Azure that ship with the product."""

from typing import Any

from remediation.actions.azure.clients import AzureClients
from remediation.actions.azure.network_flow_logs import EnableVnetFlowLogs
from remediation.actions.azure.network_nsg_rule import RestrictNsgRule
from remediation.actions.azure.storage_blob_access import RestrictBlobAccess
from remediation.actions.azure.storage_keys import RegenerateKey
from remediation.actions.contract import Action


def azure_actions(clients: AzureClients) -> list[Action[Any]]:
    """Return them all."""
    return [
        RestrictBlobAccess(clients),
        RegenerateKey(clients),
        RestrictNsgRule(clients),
        EnableVnetFlowLogs(clients),
    ]
