"""The actions on Google Cloud that ship with the product."""

from typing import Any

from remediation.actions.contract import Action
from remediation.actions.gcp.clients import GcpClients


def gcp_actions(clients: GcpClients) -> list[Action[Any]]:  # noqa: ARG001 - the first action uses it
    """Return them all."""
    return []
