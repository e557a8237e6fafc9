"""Whose deployment a resource belongs to: what infrastructure code made, it makes again."""

import re
from collections.abc import Iterator, Mapping

_STACK = "aws:cloudformation:stack-name"
# `ManagedBy`, `managed-by`, `managed_by`, Kubernetes' `app.kubernetes.io/managed-by`.
_MANAGED_BY = re.compile(r"(?:.*/)?managed[-_ ]?by")
# `terraform`, and what Google's provider writes: `goog-terraform-provisioned`.
_TERRAFORM = re.compile(r"terraform|goog-terraform-provisioned")
_NO = {"", "false", "no", "none", "0"}
_BY_HAND = {*_NO, "hand", "manual", "manually", "human"}


def describe_manager(tags: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return a warning where tags say that infrastructure code keeps the resource, nothing where they do not."""
    manager = next(_managers(tags or {}), "")
    if not manager:
        return ()
    return (f"Managed by {manager[:80]}; the change may be reverted by the next deployment.",)


def _managers(tags: Mapping[str, str]) -> Iterator[str]:
    """Yield who keeps a resource, most telling first."""
    folded = {name.casefold().strip(): value.strip() for name, value in tags.items()}
    if stack := folded.get(_STACK):
        yield f"the CloudFormation stack {stack}"
    for name, value in folded.items():
        if _MANAGED_BY.fullmatch(name) and value.casefold() not in _BY_HAND:
            yield value
        elif _TERRAFORM.fullmatch(name) and value.casefold() not in _NO:
            yield "Terraform"
