"""Azure's resource ids: `/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/acme`, in any case."""

import re
from dataclasses import dataclass

from audit.errors import Cause, PermanentActionError
from remediation.plan import Target

_NAME = r"(?!\.)[\w().-]{1,128}"
_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_GUID})/resourceGroups/(?P<group>{_NAME})"
    rf"/providers/(?P<namespace>[a-z.]{{1,64}})(?P<rest>(?:/[a-z]{{1,64}}/{_NAME}){{1,4}})/?",
    re.IGNORECASE,
)
STORAGE_ACCOUNT = "microsoft.storage/storageaccounts"
BLOB_CONTAINER = "microsoft.storage/storageaccounts/blobservices/containers"
SECURITY_GROUP = "microsoft.network/networksecuritygroups"
SECURITY_RULE = "microsoft.network/networksecuritygroups/securityrules"
VIRTUAL_NETWORK = "microsoft.network/virtualnetworks"
NETWORK_WATCHER = "microsoft.network/networkwatchers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmId:
    """A resource id, taken apart.

    `kind` is its provider and types in lower case; `names` has one name for each type, the outermost first.
    """

    subscription: str
    group: str
    kind: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the resource's own name."""
        return self.names[-1]


def read_arm_id(resource: str) -> ArmId:
    """Take a resource id apart.

    Raises:
        PermanentActionError: it is none.
    """
    match = _ID.fullmatch(resource.strip())
    if match is None:
        raise PermanentActionError(f"“{resource[:120]}” is not an Azure resource id", cause=Cause.INVALID)
    parts = match["rest"].strip("/").split("/")
    types, names = parts[::2], parts[1::2]
    return ArmId(
        subscription=match["subscription"].lower(),
        group=match["group"],
        kind="/".join((match["namespace"], *types)).lower(),
        names=tuple(names),
    )


def locate(target: Target, *kinds: str) -> ArmId:
    """Take a target's id apart, having checked that it is of one of these kinds and in the subscription it is said to be in.

    Raises:
        PermanentActionError: it is no such resource, or its id names another subscription than the finding.
    """
    arm_id = read_arm_id(target.resource)
    if arm_id.kind not in kinds:
        wanted = " or ".join(kinds)
        raise PermanentActionError(
            f"“{target.resource[:200]}” is a {arm_id.kind}, not a {wanted}", cause=Cause.INVALID
        )
    account = target.account_id.strip().lower()
    # Scanners also put a subscription's name or a tenant's domain here; only an id can contradict the resource's.
    if re.fullmatch(_GUID, account) and account != arm_id.subscription:
        raise PermanentActionError(
            f"{arm_id.name} lies in the subscription {arm_id.subscription}, and the finding says {account}",
            cause=Cause.WRONG_ACCOUNT,
        )
    return arm_id


def settled(target: Target, arm_id: ArmId) -> Target:
    """Return a target with the subscription that its id names."""
    return Target(
        provider="azure", resource=target.resource, account_id=arm_id.subscription, region=target.region
    )


def same(left: str, right: str) -> bool:
    """Tell whether two ids name one resource: Azure compares them in any case."""
    return left.casefold().rstrip("/") == right.casefold().rstrip("/")
