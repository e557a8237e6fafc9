"""The configuration's `accounts:` section: as whom the bot acts in which account, project or subscription."""

import re
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.aws.partitions import account_of
from remediation.actions.azure.accounts import AzureAccounts
from remediation.actions.azure.tenants import TenantClients
from remediation.actions.clouds import Clouds
from remediation.actions.gcp.accounts import GcpAccounts
from remediation.actions.gcp.clients import GoogleClients

_ROLE = r"role/[A-Za-z0-9_+=,.@/-]{1,512}$"
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


def _known_external_id(secret: SecretStr) -> SecretStr:
    # A pattern of pydantic's would show the value where it does not fit.
    if not _EXTERNAL_ID.fullmatch(secret.get_secret_value()):
        raise ValueError("must be 2 to 1224 letters, digits or characters of _+=,.@:/-")
    return secret


ExternalId = Annotated[SecretStr, AfterValidator(_known_external_id)]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RoleTemplate = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\{account_id\}:" + _ROLE)]
RoleArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|\{account_id\}):" + _ROLE)
]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]+$")]
ServiceAccount = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9-]+@([a-z0-9.-]+|\{project\})\.iam\.gserviceaccount\.com$")
]
Guid = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        to_lower=True,
    ),
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AwsOverride(_Section):
    """One AWS account that is not like the others; what is left out is as for all."""

    role: RoleArn | None = None
    external_id: ExternalId | None = None


class AwsSection(_Section):
    """The roles that the bot assumes in AWS accounts."""

    role: RoleTemplate | None = Field(
        default=None, description="Such as arn:aws:iam::{account_id}:role/countersign."
    )
    external_id: ExternalId | None = Field(
        default=None, description="What the roles' trust policies ask for as sts:ExternalId."
    )
    region: Region | None = Field(
        default=None, description="Where to ask where a resource has no region, such as eu-central-1."
    )
    overrides: dict[AccountId, AwsOverride] = Field(
        default_factory=dict, description="By account id of 12 digits, in quotes."
    )

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        if self.external_id and not (self.role or self.overrides):
            raise ValueError("external_id is of no use without role")
        for account, override in self.overrides.items():
            role = override.role or self.role
            if role is None:
                raise ValueError(f"overrides.{account} names no role, and there is none for all accounts")
            if account_of(role) not in {account, "{account_id}"}:
                raise ValueError(f"overrides.{account} names a role of account {account_of(role)}")
        return self

    def build(self) -> AwsAccounts:
        """Return the roles as remediation knows them."""
        return AwsAccounts(
            role=AwsRole(arn=self.role, external_id=self.external_id) if self.role else None,
            overrides={account: self._role(override) for account, override in self.overrides.items()},
            region=self.region or "",
        )

    def _role(self, override: AwsOverride) -> AwsRole:
        return AwsRole(
            arn=override.role or self.role or "", external_id=override.external_id or self.external_id
        )


class GcpSection(_Section):
    """The service accounts that the bot impersonates in Google Cloud projects."""

    service_account: ServiceAccount | None = Field(
        default=None, description="Such as countersign@{project}.iam.gserviceaccount.com."
    )
    overrides: dict[str, ServiceAccount] = Field(
        default_factory=dict, description="Another service account, by project id."
    )

    def build(self) -> GcpAccounts:
        """Return the service accounts as remediation knows them."""
        return GcpAccounts(service_account=self.service_account or "", overrides=self.overrides)


class AzureSection(_Section):
    """The Azure subscriptions that the bot acts in, and their tenants."""

    tenant: Guid | None = Field(
        default=None, description="The tenant's id; without it, the default credential's own."
    )
    subscriptions: list[Guid] | None = Field(
        default=None, description="The only subscriptions to act in, by id."
    )
    overrides: dict[Guid, Guid] = Field(
        default_factory=dict, description="Another tenant's id, by subscription id."
    )

    def build(self) -> AzureAccounts:
        """Return the subscriptions as remediation knows them."""
        return AzureAccounts(
            tenant=self.tenant or "",
            overrides=self.overrides,
            subscriptions=None if self.subscriptions is None else frozenset(self.subscriptions),
        )


class AccountsSection(_Section):
    """As whom the bot acts in the clouds; without it, as whoever its own default credentials are."""

    aws: AwsSection = Field(default_factory=AwsSection)
    gcp: GcpSection = Field(default_factory=GcpSection)
    azure: AzureSection = Field(default_factory=AzureSection)

    def to_clouds(self) -> Clouds:
        """Return the sources of clients. Loads no SDK: a client is made when first used."""
        return Clouds(
            aws=Boto3Clients(accounts=self.aws.build()),
            gcp=GoogleClients(impersonate=self.gcp.build().service_account_for),
            azure=TenantClients(self.azure.build()),
        )
