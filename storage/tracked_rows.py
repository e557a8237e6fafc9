"""Tracked findings as rows, and the conditions that pick them."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, true
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.findings import Finding, Severity
from audit.lifecycle import FindingQuery, LifecycleState, Sla, TrackedFinding
from storage.lifecycle_tables import TrackedRow
from storage.tables import ExceptionRow

_HANDLE_DIGITS = 8
_SEVERITIES = {severity.rank: severity for severity in Severity}


def in_force(now: datetime) -> ColumnElement[bool]:
    """Return the condition for exceptions that are in force."""
    not_ended = or_(col(ExceptionRow.ended_at).is_(None), col(ExceptionRow.ended_at) > now)
    return and_(col(ExceptionRow.granted_at) <= now, col(ExceptionRow.until) > now, not_ended)


def excepted_fingerprints(now: datetime) -> SelectOfScalar[str]:
    """Return the query for the findings that are excepted at a time."""
    return select(ExceptionRow.fingerprint).where(in_force(now))


def is_fixed() -> ColumnElement[bool]:
    """Return the condition for what is fixed."""
    return col(TrackedRow.fixed_at).is_not(None)


def is_excepted(now: datetime) -> ColumnElement[bool]:
    """Return the condition for what somebody answers for, here or in the scanner, and is not fixed."""
    ours = col(TrackedRow.fingerprint).in_(excepted_fingerprints(now))
    return and_(col(TrackedRow.fixed_at).is_(None), or_(col(TrackedRow.muted).is_(True), ours))


def is_open(now: datetime) -> ColumnElement[bool]:
    """Return the condition for what waits for somebody."""
    ours = col(TrackedRow.fingerprint).in_(excepted_fingerprints(now))
    return and_(col(TrackedRow.fixed_at).is_(None), col(TrackedRow.muted).is_(False), ~ours)


def is_regressed() -> ColumnElement[bool]:
    """Return the condition for what came back, of what is open."""
    return col(TrackedRow.regressed_at).is_not(None)


def is_seen_once() -> ColumnElement[bool]:
    """Return the condition for what one report alone has shown, of what is open and did not come back."""
    once = col(TrackedRow.first_seen_at) == col(TrackedRow.last_seen_at)
    return and_(col(TrackedRow.regressed_at).is_(None), once)


def is_overdue(sla: Sla, now: datetime) -> ColumnElement[bool]:
    """Return the condition for what is past its time, of what is open."""
    late = [
        and_(col(TrackedRow.severity_rank) == severity.rank, col(TrackedRow.opened_at) < now - limit)
        for severity, limit in sla.limits.items()
    ]
    return or_(false(), *late)


def in_states(states: Collection[LifecycleState], now: datetime) -> ColumnElement[bool]:
    """Return the condition for findings in any of the states."""
    open_ones = _open_ones(states)
    wanted = [and_(is_open(now), open_ones)] if open_ones is not None else []
    if LifecycleState.FIXED in states:
        wanted.append(is_fixed())
    if LifecycleState.EXCEPTED in states:
        wanted.append(is_excepted(now))
    return or_(false(), *wanted) if len(wanted) != 1 else wanted[0]


def _open_ones(states: Collection[LifecycleState]) -> ColumnElement[bool] | None:
    """Return which of the open ones are wanted; None where none are."""
    kinds = {
        LifecycleState.NEW: is_seen_once(),
        LifecycleState.REGRESSED: is_regressed(),
        LifecycleState.OPEN: and_(col(TrackedRow.regressed_at).is_(None), ~is_seen_once()),
    }
    wanted = [condition for state, condition in kinds.items() if state in states]
    if len(wanted) == len(kinds):
        return true()
    return or_(*wanted) if wanted else None


def matching(query: FindingQuery, *, sla: Sla, now: datetime) -> ColumnElement[bool]:
    """Return the condition that a query stands for."""
    conditions = [in_states(query.states, now)]
    if query.severities:
        conditions.append(col(TrackedRow.severity_rank).in_([each.rank for each in query.severities]))
    conditions += [
        func.lower(column).in_([value.lower() for value in wanted])
        for column, wanted in (
            (col(TrackedRow.region), query.regions),
            (col(TrackedRow.check_id), query.checks),
        )
        if wanted
    ]
    if query.accounts:
        # An account's number or name, as it is written: this one has an index.
        conditions.append(col(TrackedRow.account_id).in_(sorted(query.accounts)))
    if query.overdue:
        conditions += [is_overdue(sla, now), is_open(now)]
    if query.text:
        conditions.append(_holds(query.text))
    return and_(*conditions)


def _holds(text: str) -> ColumnElement[bool]:
    handle = literal("f-").concat(func.substr(col(TrackedRow.fingerprint), 1, _HANDLE_DIGITS))
    columns = (col(TrackedRow.title), col(TrackedRow.check_id), col(TrackedRow.resource), handle)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def state_of(row: TrackedRow, *, is_excepted: bool) -> LifecycleState:
    """Return where a finding stands; `is_excepted` tells whether an exception of ours is in force."""
    if row.fixed_at is not None:
        return LifecycleState.FIXED
    if is_excepted or row.muted:
        return LifecycleState.EXCEPTED
    if row.regressed_at is not None:
        return LifecycleState.REGRESSED
    return LifecycleState.NEW if row.first_seen_at == row.last_seen_at else LifecycleState.OPEN


def to_tracked(
    found: Iterable[tuple[TrackedRow, Finding]],
    *,
    excepted: dict[str, datetime],
    sla: Sla,
    now: datetime,
) -> list[TrackedFinding]:
    """Return findings as they stand, of rows and what their newest report says; `excepted` says until when, by fingerprint."""
    return [_to_tracked(row, finding, excepted.get(row.fingerprint), sla, now) for row, finding in found]


def _to_tracked(
    row: TrackedRow, finding: Finding, excepted_until: datetime | None, sla: Sla, now: datetime
) -> TrackedFinding:
    state = state_of(row, is_excepted=excepted_until is not None)
    waits = state in {LifecycleState.NEW, LifecycleState.OPEN, LifecycleState.REGRESSED}
    due_at = sla.due_at(_SEVERITIES[row.severity_rank], row.opened_at) if waits else None
    return TrackedFinding(
        finding=finding,
        state=state,
        source=row.source,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        opened_at=row.opened_at,
        due_at=due_at,
        is_overdue=due_at is not None and due_at < now,
        fixed_at=row.fixed_at,
        fixed_by=row.fixed_by,
        regressed_at=row.regressed_at,
        regressed_from=row.regressed_from,
        excepted_until=excepted_until,
        evidence=row.evidence or {},
    )
