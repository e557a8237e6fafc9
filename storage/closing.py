"""Closing findings: what a report shows to be gone, and how long it had been open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, update
from sqlmodel import Session, col, select

from storage.inserting import insert_into
from storage.lifecycle_tables import FixRow, TrackedRow


def still_open_since(scanner: str, as_of: datetime) -> ColumnElement[bool]:
    """Return the condition for a scanner's findings that are open, and that nothing has spoken about since a time."""
    return and_(
        col(TrackedRow.fixed_at).is_(None),
        col(TrackedRow.decided_at) < as_of,
        col(TrackedRow.source) == scanner,
    )


@dataclass(frozen=True, slots=True)
class Witness:
    """A report that says something: its id, whose it is, when it was made."""

    report_id: str
    scanner: str
    as_of: datetime


def close(session: Session, fingerprints: Sequence[str], witness: Witness, *, at: datetime) -> None:
    """Note that findings are fixed, as a report shows, which we learned of `at`."""
    if not fingerprints:
        return
    named = and_(
        col(TrackedRow.fingerprint).in_(fingerprints), still_open_since(witness.scanner, witness.as_of)
    )
    opened = session.exec(select(TrackedRow.fingerprint, TrackedRow.opened_at).where(named)).all()
    session.exec(
        update(TrackedRow)
        .where(named)
        .values(
            fixed_at=witness.as_of,
            fixed_by="",
            evidence={"report_id": witness.report_id},
            decided_at=witness.as_of,
            changed_at=at,
            muted=False,
        )
    )
    note_fixes(session, opened, scanner=witness.scanner, fixed_at=witness.as_of)


def note_fixes(
    session: Session, opened: Sequence[tuple[str, datetime]], *, scanner: str, fixed_at: datetime
) -> None:
    """Write down how long findings, each with when its time began to run, had been open."""
    rows = [
        {
            "fingerprint": fingerprint,
            "fixed_at": fixed_at,
            "source": scanner,
            "open_s": max(fixed_at - opened_at, timedelta()) // timedelta(seconds=1),
        }
        for fingerprint, opened_at in opened
    ]
    if rows:
        adding = insert_into(session, FixRow).on_conflict_do_nothing()
        session.connection().execute(adding, rows)
