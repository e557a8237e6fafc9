"""The policy a session is made with: what the plan's actions need on the plan's resource, and nothing else.

A session may do what both this and the role's own policies allow (IAM User Guide, "Session policies").
"""

import json
from collections.abc import Iterable, Mapping

from audit.errors import Cause, PermanentActionError

# STS, `AssumeRole`, parameter `Policy`: its plain text may have so many characters.
LONGEST_POLICY = 2048
_VERSION = "2012-10-17"
_NOTHING: dict[str, object] = {"Effect": "Deny", "Action": "*", "Resource": "*"}


def session_policy(allowed: Iterable[tuple[str, str]]) -> str:
    """Return the policy for IAM actions with the ARN that each is needed on. For none, it denies everything.

    Raises:
        PermanentActionError: AWS would not take it for its length. It is never made shorter by allowing more.
    """
    statements = list(map(_statement, _grouped(allowed).items())) or [_NOTHING]
    text = json.dumps({"Version": _VERSION, "Statement": statements}, separators=(",", ":"))
    if len(text) > LONGEST_POLICY:
        raise PermanentActionError(
            f"The session policy for this fix has {len(text):,} characters, and AWS takes {LONGEST_POLICY:,}. "
            "Nothing is done with wider rights than the plan needs; split the playbook's action",
            cause=Cause.INVALID,
        )
    return text


def _grouped(allowed: Iterable[tuple[str, str]]) -> Mapping[tuple[str, ...], list[str]]:
    """Group actions that are needed on the very same resources: a statement allows each of its actions on each of them."""
    resources: dict[str, set[str]] = {}
    for action, arn in allowed:
        resources.setdefault(action, set()).add(arn)
    groups: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(resources):
        groups.setdefault(tuple(sorted(resources[action])), []).append(action)
    return groups


def _statement(group: tuple[tuple[str, ...], list[str]]) -> dict[str, object]:
    arns, actions = group
    return {"Effect": "Allow", "Action": _one_or_all(actions), "Resource": _one_or_all(list(arns))}


def _one_or_all(values: list[str]) -> object:
    """Return one value by itself: IAM reads both, and this one is shorter."""
    return values[0] if len(values) == 1 else values
