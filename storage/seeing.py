"""Noting what a report shows failing: new findings come in, known ones are seen once more."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, literal, select
from sqlmodel import Session, col

from audit.findings import FindingStatus
from storage.inserting import insert_into
from storage.lifecycle_tables import TrackedRow
from storage.tables import FindingRow

_TRACKED: Table = TrackedRow.__table__  # type: ignore[attr-defined]
_FINDINGS: Table = FindingRow.__table__  # type: ignore[attr-defined]
_COPIED = (
    "fingerprint",
    "account_id",
    "region",
    "check_id",
    "severity_rank",
    "title",
    "resource",
    "report_key",
    "position",
)
# What a newer appearance replaces. Account, region, check and resource are in the fingerprint.
_SHOWN = ("source", "severity_rank", "title", "report_key", "position", "decided_at", "muted")


def failing() -> ColumnElement[bool]:
    """Return the condition for what counts as failing."""
    return and_(col(FindingRow.status) == FindingStatus.FAIL.value, col(FindingRow.muted).is_(False))


def see(
    session: Session, window: ColumnElement[bool], *, scanner: str, as_of: datetime, at: datetime
) -> None:
    """Note the failing findings of a part of a report.

    Args:
        session: a transaction to write in.
        window: the condition for the part.
        scanner: whose report it is.
        as_of: when the report was made.
        at: when we learned of it.
    """
    appearances = _appearances(window, scanner=scanner, as_of=as_of, at=at)
    names = [column.name for column in _TRACKED.columns]
    adding = insert_into(session, TrackedRow).from_select(names, appearances)
    new, old = adding.excluded, _TRACKED.c
    speaks = and_(old.fixed_at.is_(None), old.decided_at <= new.decided_at)
    changes: dict[str, ColumnElement[object]] = {
        name: case((speaks, new[name]), else_=old[name]) for name in _SHOWN
    }
    changes["last_seen_at"] = _later(new.last_seen_at, old.last_seen_at)
    changes["first_seen_at"] = _earlier(new.first_seen_at, old.first_seen_at)
    # A regression's time runs from when it came back.
    opened = _earlier(new.first_seen_at, old.opened_at)
    changes["opened_at"] = case((old.regressed_at.is_(None), opened), else_=old.opened_at)
    session.connection().execute(adding.on_conflict_do_update(index_elements=[old.fingerprint], set_=changes))


def _appearances(
    window: ColumnElement[bool], *, scanner: str, as_of: datetime, at: datetime
) -> Select[tuple[object, ...]]:
    """Return the query for the rows to be: of findings that are listed twice, the worst."""
    worst_first = func.row_number().over(
        partition_by=_FINDINGS.c.fingerprint,
        order_by=(_FINDINGS.c.severity_rank, _FINDINGS.c.position),
    )
    columns = [_FINDINGS.c[name] for name in _COPIED]
    shown = select(*columns, worst_first.label("nth")).where(window, failing()).subquery()
    given: dict[str, object] = {
        "source": scanner,
        "first_seen_at": as_of,
        "last_seen_at": as_of,
        "opened_at": as_of,
        "decided_at": as_of,
        "changed_at": at,
        "muted": False,
        "fixed_by": "",
        "regressed_from": "",
    }
    row = [
        shown.c[column.name]
        if column.name in _COPIED
        else literal(given.get(column.name), column.type).label(column.name)
        for column in _TRACKED.columns
    ]
    return select(*row).where(shown.c.nth == 1)


def _later(mine: ColumnElement[datetime], theirs: ColumnElement[datetime]) -> ColumnElement[object]:
    return case((mine > theirs, mine), else_=theirs)


def _earlier(mine: ColumnElement[datetime], theirs: ColumnElement[datetime]) -> ColumnElement[object]:
    return case((mine < theirs, mine), else_=theirs)
