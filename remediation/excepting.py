"""Leaving a finding as it is, for a while: what is asked for with a rejection, and the gate for requests."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from audit.actor import Actor
from audit.errors import InputError, RefusedError
from audit.findings import Finding
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from remediation.ports import ExceptionGate


@dataclass(frozen=True, slots=True)
class ExceptionWish:
    """What somebody who rejects wants besides: the last day (in UTC) on which the finding is left as it is, and who answers for it.

    Without an `owner` whoever rejects does.
    """

    last_day: date
    owner: Actor | None = None

    def until(self) -> datetime:
        """Return the moment it is over: the end of the last day."""
        return datetime.combine(self.last_day + timedelta(days=1), time(), tzinfo=UTC)


def refuse_term(wish: ExceptionWish, *, now: datetime, longest: timedelta) -> None:
    """Refuse an exception that would end before it begins, or that would hold for too long.

    Raises:
        InputError: with the latest day there may be.
    """
    if wish.until() <= now:
        raise InputError(f"{wish.last_day} is over already, so nothing was decided. Choose a later day.")
    latest = (now + longest).astimezone(UTC).date()
    if wish.last_day > latest:
        raise InputError(
            f"An exception may last until {latest} at the longest (`policy.longest_exception_days`), so nothing was decided."
        )


def make_exception(
    execution: PlaybookExecution, wish: ExceptionWish, *, owner: Actor, reason: str, now: datetime
) -> FindingException:
    """Return the exception that a rejection grants."""
    return FindingException(
        exception_id=f"e-{uuid.uuid4().hex[:12]}",
        execution_id=execution.execution_id,
        finding=execution.finding,
        owner=owner,
        reason=reason,
        granted_at=now,
        until=wish.until(),
    )


def refuse_excepted(exceptions: ExceptionGate, finding: Finding, *, now: datetime) -> None:
    """Refuse to fix what somebody answers for leaving as it is.

    Raises:
        RefusedError: says who, until when, and how to end that.
    """
    if held := exceptions.holding(finding.fingerprint, now):
        owner = f"@{held.owner.slack_id}" if held.owner.slack_id else held.owner.label
        raise RefusedError(
            f"{owner} answers for leaving {finding.handle} as it is until {describe_end(held)}: {held.reason.rstrip('.')}. "
            f"An approver can end that: `/playbook exceptions end {held.exception_id}`."
        )


def describe_end(exception: FindingException) -> str:
    """Return when an exception is over."""
    return exception.until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def about(exception: FindingException) -> Mapping[str, object]:
    """Return an exception for the trail."""
    return {
        "exception_id": exception.exception_id,
        "execution_id": exception.execution_id,
        "finding_id": exception.finding.id,
        "fingerprint": exception.finding.fingerprint,
        "resource": exception.finding.resource,
        "account_id": exception.finding.account_id,
        "owner": exception.owner.to_dict(),
        "reason": exception.reason,
        "until": exception.until.isoformat(),
    }
