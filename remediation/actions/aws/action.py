"""What all actions on AWS share: clients whose credentials allow no more than the phase they are used in."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from remediation.actions.aws.clients import Access, AwsClients
from remediation.actions.contract import Action, Params, Permissions, Phase
from remediation.plan import Target

P = TypeVar("P", bound=Params)
Scope = Callable[[str, Target], str]
ANY = "*"


class AwsAction(Action[P]):
    """An action on AWS. `permissions` holds IAM actions, such as `s3:GetBucketAcl`."""

    action_type = "aws"
    permissions: ClassVar[Permissions]

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def client(self, service: str, target: Target, phase: Phase, *, scope: Scope | None = None) -> Any:  # noqa: ANN401 - see `AwsClients`
        """Return a client for a target's account and region that may do what this phase needs on this target.

        Args:
            service: the SDK's name of it.
            target: the resource.
            phase: decides which permissions.
            scope: says where each is needed, in place of the method of that name: for actions whose parameters decide it.

        Raises:
            ActionError: there is no SDK, region or credential to make it with.
        """
        where = scope or self.scope
        allowed = tuple((name, where(name, target)) for name in self.permissions.of(phase))
        access = Access(account_id=target.account_id, allowed=allowed)
        return self._clients.client(service, region=target.region, access=access)

    def scope(self, permission: str, target: Target) -> str:  # noqa: ARG002 - for those that can say more
        """Return the ARN on which a permission is needed; `*` where AWS knows nothing narrower."""
        return ANY


def partition(region: str) -> str:
    """Return the partition of a region: the second part of its ARNs."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
