"""Counting findings as they stand: conditions that several questions share, and what they count to."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, true
from sqlmodel import Session, col, select

from audit.findings import Severity
from audit.lifecycle import LifecycleState
from storage.lifecycle_tables import TrackedRow
from storage.tables import ExceptionRow
from storage.tracked_rows import in_force, in_states


def excepted_until(session: Session, fingerprints: Sequence[str], now: datetime) -> dict[str, datetime]:
    """Return until when findings are excepted, for those that are."""
    ours = select(ExceptionRow.fingerprint, func.max(ExceptionRow.until)).where(
        in_force(now), col(ExceptionRow.fingerprint).in_(fingerprints)
    )
    return dict(session.exec(ours.group_by(col(ExceptionRow.fingerprint))).all())


def by_severity(session: Session, condition: ColumnElement[bool]) -> dict[Severity, int]:
    """Return how many findings meet a condition, by severity."""
    rank = col(TrackedRow.severity_rank)
    counted = Counter(dict(session.exec(select(rank, func.count()).where(condition).group_by(rank)).all()))
    return {severity: counted[severity.rank] for severity in Severity}


def count(session: Session, condition: ColumnElement[bool]) -> int:
    """Return how many findings meet a condition."""
    return session.exec(select(func.count()).select_from(TrackedRow).where(condition)).one()


def in_accounts(accounts: Collection[str]) -> ColumnElement[bool]:
    """Return the condition for findings of these accounts; of all, where none is named."""
    return col(TrackedRow.account_id).in_(sorted(accounts)) if accounts else true()


def came_newly(states: Collection[LifecycleState], since: datetime, now: datetime) -> ColumnElement[bool]:
    """Return the condition for what came into one of some states after a time, and still is in it."""
    return and_(in_states(states, now), or_(false(), *(_came_into(state, since) for state in states)))


def _came_into(state: LifecycleState, since: datetime) -> ColumnElement[bool]:
    """Return the condition for what came into a state after a time; an exception counts from when it was granted."""
    changed = col(TrackedRow.changed_at) > since
    if state is LifecycleState.EXCEPTED:
        granted = select(ExceptionRow.fingerprint).where(col(ExceptionRow.granted_at) > since)
        return col(TrackedRow.fingerprint).in_(granted)
    return changed
