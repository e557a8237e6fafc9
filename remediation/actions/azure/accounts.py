"""In which Azure subscriptions the bot acts, and in which tenant each is. Data only: the configuration fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.errors import Cause, PermanentActionError


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureAccounts:
    """The tenants by subscription, all ids in lower case.

    `tenant` is that of every subscription that `overrides` does not name; without either, the default credential's own. With
    `subscriptions` nothing is done in any other.
    """

    tenant: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)
    subscriptions: frozenset[str] | None = None

    def tenant_of(self, subscription: str) -> str:
        """Return the tenant to ask for tokens for a subscription; empty for the credential's own.

        Raises:
            PermanentActionError: the bot does not act in this subscription.
        """
        name = subscription.lower()
        if self.subscriptions is not None and name not in self.subscriptions:
            raise PermanentActionError(
                f"accounts.azure.subscriptions does not name {subscription[:60] or 'an unknown subscription'}",
                cause=Cause.WRONG_ACCOUNT,
            )
        return self.overrides.get(name, self.tenant)
