"""The actions on Google Cloud that ship with the product."""

from typing import Any

from remediation.actions.contract import Action
from remediation.actions.gcp.clients import GcpClients
from remediation.actions.gcp.compute_firewall import RestrictFirewall
from remediation.actions.gcp.compute_firewall_logging import EnableFirewallLogging
from remediation.actions.gcp.compute_flow_logs import EnableSubnetFlowLogs
from remediation.actions.gcp.iam_key_rotation import RotateServiceAccountKey
from remediation.actions.gcp.storage_logging import EnableStorageLogging
from remediation.actions.gcp.storage_public_access import RestrictPublicAccess


def gcp_actions(clients: GcpClients) -> list[Action[Any]]:
    """Return them all."""
    return [
        RestrictPublicAccess(clients),
        RestrictFirewall(clients),
        EnableStorageLogging(clients),
        EnableFirewallLogging(clients),
        EnableSubnetFlowLogs(clients),
        RotateServiceAccountKey(clients),
    ]
