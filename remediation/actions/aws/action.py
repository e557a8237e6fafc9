"""What all actions on AWS share: clients whose credentials allow no more than the phase they are used in."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.clients import Access, AwsClients
from remediation.actions.aws.partitions import partition, partition_of
from remediation.actions.contract import Action, Params, Permissions, Phase
from remediation.plan import Target

P = TypeVar("P", bound=Params)
Arns = str | tuple[str, ...]
Scope = Callable[[str, Target], Arns]
ANY = "*"
# What IAM reads as “any” or as a variable, where it stands in a resource's ARN.
_WILDCARDS = frozenset("*?$")

__all__ = ["ANY", "Arns", "AwsAction", "Scope", "each_arn", "partition", "partition_of"]


class AwsAction(Action[P]):
    """An action on AWS. `permissions` holds IAM actions, such as `s3:GetBucketAcl`."""

    action_type = "aws"
    permissions: ClassVar[Permissions]

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def client(
        self, service: str, target: Target, phase: Phase, *, scope: Scope | None = None, once: bool = False
    ) -> Any:  # noqa: ANN401 - see `AwsClients`
        """Return a client for a target's account and region that may do what this phase needs on this target.

        Args:
            service: the SDK's name of it.
            target: the resource.
            phase: decides which permissions.
            scope: says where each is needed, in place of the method of that name: for actions whose parameters decide it.
            once: whether a request is sent once only, for calls that make another thing each time; docs/writes.md names them.

        Raises:
            ActionError: there is no SDK, region or credential to make it with, or the target is not one resource.
        """
        if not _WILDCARDS.isdisjoint(target.resource):
            raise PermanentActionError(f"“{target.resource[:120]}” is not one resource", cause=Cause.INVALID)
        where = scope or self.scope
        allowed = tuple(
            (name, arn) for name in self.permissions.of(phase) for arn in each_arn(where(name, target))
        )
        access = Access(account_id=target.account_id, allowed=allowed, once=once)
        return self._clients.client(service, region=target.region, access=access)

    def scope(self, permission: str, target: Target) -> Arns:  # noqa: ARG002 - for those that can say more
        """Return the ARN on which a permission is needed, or all of several; `*` where AWS knows nothing narrower."""
        return ANY


def each_arn(arns: Arns) -> tuple[str, ...]:
    """Return what `scope` says as a tuple."""
    return (arns,) if isinstance(arns, str) else arns
