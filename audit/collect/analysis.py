"""From what was read of an account to findings: the same for a live account and for a program's own data."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from audit.collect.check import Check, Subject, judge_all
from audit.collect.facts import Facts, Unread, part, parts, words
from audit.collect.iam_checks import ROOT_CHECKS, USER_CHECKS
from audit.collect.password_checks import PASSWORD_CHECKS
from audit.collect.storage_checks import ACCOUNT_CHECKS, BUCKET_CHECKS
from audit.errors import InputError
from audit.findings import Finding

IAM_PARTS: Final = frozenset({"root", "users", "password_policy", "findings"})
STORAGE_PARTS: Final = frozenset({"account_public_access_block", "buckets", "findings"})


def judge_iam(data: Facts, *, account_id: str, when: datetime, partition: str = "aws") -> Iterator[Finding]:
    """Yield what the checks say about `root`, `users` and `password_policy`; a policy of None says there is none.

    Raises:
        InputError: it is not of this shape.
    """
    _require_parts(data, IAM_PARTS)
    arn = f"arn:{partition}:iam::{account_id}"
    yield from _judge(ROOT_CHECKS, account_id, f"{arn}:root", part(data, "root") or {}, when)
    if "password_policy" in data:
        facts = part(data, "password_policy")
        policy = dict.fromkeys(name for check in PASSWORD_CHECKS for name in check.needs) | dict(facts or {})
        yield from _judge(PASSWORD_CHECKS, account_id, f"{arn}:password-policy", policy, when)
    for user in parts(data, "users"):
        resource = words(user, "arn") or f"{arn}:user/{_name(user)}"
        yield from _judge(USER_CHECKS, account_id, resource, user, when)
    yield from _own(data)


def judge_storage(data: Facts, *, account_id: str, when: datetime) -> Iterator[Finding]:
    """Yield what the checks say about `account_public_access_block` and `buckets`.

    Raises:
        InputError: it is not of this shape.
    """
    _require_parts(data, STORAGE_PARTS)
    account = "account_public_access_block"
    if account in data:
        stated = data[account]
        block = {"public_access_block": stated if isinstance(stated, Unread) else part(data, account)}
        yield from _judge(ACCOUNT_CHECKS, account_id, account_id, block, when)
    for bucket in parts(data, "buckets"):
        resource = words(bucket, "arn") or f"arn:aws:s3:::{_name(bucket)}"
        facts = {account: data.get(account), **bucket}
        yield from _judge(BUCKET_CHECKS, account_id, resource, facts, when, region=words(bucket, "region"))
    yield from _own(data)


def _judge(  # noqa: PLR0913 - what a subject is made of
    checks: tuple[Check, ...],
    account_id: str,
    resource: str,
    facts: Facts,
    when: datetime,
    *,
    region: str = "",
) -> Iterator[Finding]:
    subject = Subject(account_id=account_id, resource=resource, when=when, facts=facts, region=region)
    return judge_all(checks, subject)


def _require_parts(data: object, known: frozenset[str]) -> None:
    """Refuse what would be left out in silence."""
    if not isinstance(data, Mapping):
        raise InputError(f"the data must be an object with {', '.join(sorted(known))}")
    if unknown := sorted(map(str, data.keys() - known)):
        raise InputError(f"{', '.join(unknown)[:120]}: not among {', '.join(sorted(known))}")


def _name(facts: Facts) -> str:
    if name := words(facts, "name"):
        return name
    raise InputError("each user and bucket needs its name")


def _own(data: Facts) -> Iterator[Finding]:
    """Yield the findings that somebody else made already."""
    return map(Finding.from_dict, parts(data, "findings"))
