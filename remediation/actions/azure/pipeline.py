"""What every request to Azure goes through: a pipeline of our own in place of the SDK's.

The SDK's default pipeline registers a missing resource provider on the subscription by itself, which nobody approved;
follows redirects; waits as long as a `Retry-After` says; and has policies that can log bodies, in which new keys come back. Ours does
none of that.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
RETRIES = 3
# Over all attempts of one call: together with the deadline of an operation it stays under `OWNER_LOST_AFTER`.
CALL_TIMEOUT_S = 20
LONGEST_WAIT_S = 8.0


def make_policies(credential: "TokenCredential", authentication_policy: object = None) -> list[object]:
    """Return the policies of a client, in order: identity of the request, retries, authentication."""
    from azure.core.pipeline import policies

    return [
        policies.RequestIdPolicy(),
        policies.HeadersPolicy(),
        policies.UserAgentPolicy(sdk_moniker="countersign"),
        policies.ContentDecodePolicy(),
        _retry_policy()(retry_total=RETRIES, retry_backoff_max=LONGEST_WAIT_S, timeout=CALL_TIMEOUT_S),
        authentication_policy or _bearer_policy(credential),
        policies.CustomHookPolicy(),
    ]


def _bearer_policy(credential: "TokenCredential") -> object:
    from azure.core.settings import settings
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
    from azure.mgmt.core.tools import get_arm_endpoints

    current: Any = settings.current  # made at run time: AZURE_CLOUD may say another cloud than the public one
    scopes = get_arm_endpoints(current.azure_cloud)["credential_scopes"]
    return ARMChallengeAuthenticationPolicy(credential, *scopes)


@cache
def _retry_policy() -> Any:  # noqa: ANN401 - a class made here, since its base is the SDK's
    from azure.core.pipeline.policies import RetryPolicy

    class PatientForSeconds(RetryPolicy[Any, Any]):
        """Retries as the SDK does, but leaves long waits to a person: the lane is needed by others."""

        def is_retry(self, settings: Any, response: Any) -> bool:  # noqa: ANN401 - the SDK's signature
            wait_s = self.get_retry_after(response) or 0
            return wait_s <= LONGEST_WAIT_S and bool(super().is_retry(settings, response))

    return PatientForSeconds
