"""Where actions get their SDK clients from, all clouds together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from remediation.actions.aws.clients import AwsClients, Boto3Clients
from remediation.actions.azure.clients import AzureClients, AzureSdkClients
from remediation.actions.gcp.clients import GcpClients, GoogleClients


@dataclass(frozen=True, slots=True, kw_only=True)
class Clouds:
    """One source of clients per cloud. Making it loads no SDK and reads no credential."""

    aws: AwsClients = field(default_factory=Boto3Clients)
    gcp: GcpClients = field(default_factory=GoogleClients)
    azure: AzureClients = field(default_factory=AzureSdkClients)

    @classmethod
    def with_clients(cls, overrides: Mapping[str, object] | None) -> Self:
        """Return sources that hand out these clients, by service, in place of their own."""
        return cls(
            aws=Boto3Clients(overrides), gcp=GoogleClients(overrides), azure=AzureSdkClients(overrides)
        )
