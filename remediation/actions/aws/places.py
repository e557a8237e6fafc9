"""Where a resource lives: what its own name says and what the finding says have to agree."""

from dataclasses import replace

from audit.errors import Cause, PermanentActionError
from remediation.plan import Target

# What findings about things without a region say.
_ANYWHERE = frozenset({"", "*", "global", "aws-global"})


def settle(target: Target, *, account_id: str = "", region: str = "") -> Target:
    """Return a target on AWS with the account and region that its name gives, where it gives any.

    Raises:
        PermanentActionError: the finding is about another cloud, or contradicts its resource's name.
    """
    if target.provider.casefold() not in {"", "aws"}:
        raise PermanentActionError(
            f"{_short(target)} is on {target.provider}, not on AWS", cause=Cause.INVALID
        )
    stated = "" if target.region in _ANYWHERE else target.region
    _require_agreement(target, "account", account_id, target.account_id, Cause.WRONG_ACCOUNT)
    _require_agreement(target, "region", region, stated, Cause.WRONG_REGION)
    return replace(
        target, provider="aws", account_id=account_id or target.account_id, region=region or stated
    )


def require_region(target: Target) -> Target:
    """Let a target pass that has a region.

    Raises:
        PermanentActionError: neither the finding nor its resource's name says one.
    """
    if not target.region:
        raise PermanentActionError(
            f"The finding about {_short(target)} names no region", cause=Cause.WRONG_REGION
        )
    return target


def _require_agreement(target: Target, what: str, named: str, stated: str, cause: Cause) -> None:
    if named and stated and named != stated:
        raise PermanentActionError(
            f"{_short(target)} is in {what} {named}, but the finding says {stated}", cause=cause
        )


def _short(target: Target) -> str:
    return target.resource[:120]
