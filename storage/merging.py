"""Working a visible report into the findings' states, in short transactions of which each leaves things true.

Whoever has a moment takes the oldest report in the queue one step further: the step and how far it came are one transaction, so
a process may die anywhere, and two may work on the same report. First all that the report shows failing is noted, then what
it no longer shows is closed. Each row knows the time of what spoke last about it, so an old report that is read late changes
nothing that a newer one has decided, and saying the same twice changes nothing at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from sqlalchemy import ColumnElement, Table, and_, delete, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.findings import FindingStatus
from audit.lifecycle import scanner_of
from storage.closing import Witness, close, still_open_since
from storage.database import Database
from storage.lifecycle_tables import MergeRow, ScopeRow, TrackedRow
from storage.reopening import reopen
from storage.seeing import see
from storage.tables import VISIBLE, FindingRow, ReportRow

SEEN = "seen"
GONE = "gone"
PASSED = "passed"
STEP = 2500
# Where `position` has no finding to count, it tells whether there is more to look at in `account_id`.
_UNDER_WAY = 0
_DONE = 1

TRACKED: Table = TrackedRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Merge:
    """A report in the queue: what has to be known about it, and how far it has come."""

    row: MergeRow
    report_key: int
    report_id: str
    scanner: str
    as_of: datetime


def queue(session: Session, report: ReportRow) -> None:
    """Queue a report that becomes visible in this transaction.

    Behind it, once more, the newer ones of the same scanner: they may have decided about what only this one shows.
    """
    newer = select(ReportRow).where(ReportRow.state == VISIBLE, col(ReportRow.as_of) > report.as_of)
    rows = session.exec(newer.order_by(col(ReportRow.as_of), col(ReportRow.report_key))).all()
    scanner = scanner_of(report.source)
    for each in (report, *(row for row in rows if scanner_of(row.source) == scanner)):
        assert each.report_key is not None  # noqa: S101 - the primary key of a stored row; narrows the type
        session.add(
            MergeRow(
                report_key=each.report_key,
                phase=SEEN,
                position=0,
                account_id="",
            )
        )


def take_step(database: Database, now: datetime) -> bool:
    """Take the oldest report in the queue one step further; tell whether there was one."""
    with database.reading() as session:
        merge = _first(session)
        looked = _look(session, merge) if merge else None
    if merge is None or looked is None:
        return False
    with database.writing() as session:
        if _is_current(session, merge):
            looked(session, merge, now)
    database.settle()
    return True


def is_waiting(database: Database) -> bool:
    """Tell whether a report is still to be worked in."""
    with database.reading() as session:
        return session.exec(select(MergeRow.merge_id).limit(1)).first() is not None


_Kinds = set[tuple[str, bool]]
Step = Callable[[Session, Merge, datetime], None]


def _first(session: Session) -> Merge | None:
    row = session.exec(select(MergeRow).order_by(col(MergeRow.merge_id)).limit(1)).first()
    if row is None:
        return None
    report = session.get_one(ReportRow, row.report_key)
    return Merge(row, row.report_key, report.report_id, scanner_of(report.source), report.as_of)


def _is_current(session: Session, merge: Merge) -> bool:
    """Tell whether nobody else has taken this step meanwhile; keeps others from it until the transaction ends."""
    same = select(MergeRow).where(MergeRow.merge_id == merge.row.merge_id).with_for_update()
    stored = session.exec(same.execution_options(populate_existing=True)).first()
    return stored is not None and _place(stored) == _place(merge.row)


def _place(row: MergeRow) -> tuple[str, int, str]:
    return row.phase, row.position, row.account_id


def _look(session: Session, merge: Merge) -> Step:
    """Find out, without holding anybody up, what the next step is to write."""
    return _PHASES[merge.row.phase](session, merge)


def _see(session: Session, merge: Merge) -> Step:
    """Note what fails, and what is neither failing nor passing."""
    end = _next_end(session, merge)
    if end is None:
        return partial(_advance, phase=GONE, position=_UNDER_WAY)
    window = _window(merge, end)
    kinds: _Kinds = set(
        session.exec(select(FindingRow.status, FindingRow.muted).where(window).distinct()).all()
    )

    def write(session: Session, merge: Merge, now: datetime) -> None:
        reopen(session, window, report_id=merge.report_id, as_of=merge.as_of, at=now)
        see(session, window, scanner=merge.scanner, as_of=merge.as_of, at=now)
        _stay(session, window, merge.as_of, kinds)
        _advance(session, merge, now, position=end)

    return write


def _stay(session: Session, window: ColumnElement[bool], as_of: datetime, kinds: _Kinds) -> None:
    """Keep open what the report neither shows failing nor passing: muted, or for a person to look at."""
    older = and_(col(TrackedRow.fixed_at).is_(None), col(TrackedRow.decided_at) < as_of)
    for is_muted, condition in ((True, _is_muted()), (False, _is_manual())):
        if is_muted and (FindingStatus.FAIL.value, True) not in kinds:
            continue
        if not is_muted and not any(status == FindingStatus.MANUAL.value for status, _ in kinds):
            continue
        named = col(TrackedRow.fingerprint).in_(select(FindingRow.fingerprint).where(window, condition))
        changes: dict[str, object] = {"muted": True} if is_muted else {}
        session.exec(update(TrackedRow).where(older, named).values(decided_at=as_of, **changes))


def _is_muted() -> ColumnElement[bool]:
    return and_(col(FindingRow.status) == FindingStatus.FAIL.value, col(FindingRow.muted).is_(True))


def _is_manual() -> ColumnElement[bool]:
    return col(FindingRow.status) == FindingStatus.MANUAL.value


def _close_gone(session: Session, merge: Merge) -> Step:
    """Close what a report that looked there no longer shows, account by account."""
    scope = _next_scope(session, merge)
    if scope is None:
        is_done = _named_all(session, merge)
        return _finish if is_done else partial(_advance, phase=PASSED, position=0)
    gone = list(session.exec(_gone(merge, scope).limit(STEP)))

    def write(session: Session, merge: Merge, now: datetime) -> None:
        _close(session, merge, gone, now=now)
        # Whoever is closed is no longer found, so a full step is followed by another one on the same account.
        is_over = len(gone) < STEP
        _advance(session, merge, now, account_id=scope.account_id, position=_DONE if is_over else _UNDER_WAY)

    return write


def _next_scope(session: Session, merge: Merge) -> ScopeRow | None:
    """Return the account that is under way, else the one after it."""
    account, here = col(ScopeRow.account_id), merge.row.account_id
    following = account >= here if merge.row.position == _UNDER_WAY else account > here
    named = select(ScopeRow).where(ScopeRow.report_key == merge.report_key, account != "", following)
    return session.exec(named.order_by(account).limit(1)).first()


def _named_all(session: Session, merge: Merge) -> bool:
    """Tell whether the report looked everywhere and all of its findings name an account."""
    accounts = select(ScopeRow.account_id).where(ScopeRow.report_key == merge.report_key)
    smallest = session.exec(accounts.order_by(col(ScopeRow.account_id)).limit(1)).first()
    return bool(smallest)


def _gone(merge: Merge, scope: ScopeRow) -> SelectOfScalar[str]:
    return select(TrackedRow.fingerprint).where(
        TrackedRow.account_id == scope.account_id,
        still_open_since(merge.scanner, merge.as_of),
        col(TrackedRow.region).in_(scope.regions),
        col(TrackedRow.check_id).in_(scope.checks),
    )


def _close_passed(session: Session, merge: Merge) -> Step:
    """Close what the report lists as passing: all that one can say that did not look everywhere, or names no account."""
    end = _next_end(session, merge)
    if end is None:
        return _finish
    passing = select(FindingRow.fingerprint).where(
        _window(merge, end),
        col(FindingRow.status) == FindingStatus.PASS.value,
        col(FindingRow.muted).is_(False),
    )
    open_ones = select(TrackedRow.fingerprint).where(
        col(TrackedRow.fingerprint).in_(passing), still_open_since(merge.scanner, merge.as_of)
    )
    passed = list(session.exec(open_ones))

    def write(session: Session, merge: Merge, now: datetime) -> None:
        _close(session, merge, passed, now=now)
        _advance(session, merge, now, position=end)

    return write


_PHASES: Mapping[str, Callable[[Session, Merge], Step]] = MappingProxyType(
    {SEEN: _see, GONE: _close_gone, PASSED: _close_passed}
)


def _close(session: Session, merge: Merge, fingerprints: Sequence[str], *, now: datetime) -> None:
    close(session, fingerprints, Witness(merge.report_id, merge.scanner, merge.as_of), at=now)


def _next_end(session: Session, merge: Merge) -> int | None:
    """Return the position that the next step ends at; None behind the last finding."""
    following = (
        select(FindingRow.position)
        .where(FindingRow.report_key == merge.report_key, col(FindingRow.position) > merge.row.position)
        .order_by(col(FindingRow.position))
        .limit(STEP)
        .subquery()
    )
    end: int | None = session.exec(select(func.max(following.c.position))).one()
    return end


def _window(merge: Merge, end: int) -> ColumnElement[bool]:
    return and_(
        col(FindingRow.report_key) == merge.report_key,
        col(FindingRow.position) > merge.row.position,
        col(FindingRow.position) <= end,
    )


def _advance(session: Session, merge: Merge, _now: datetime, **place: object) -> None:
    session.exec(update(MergeRow).where(col(MergeRow.merge_id) == merge.row.merge_id).values(**place))


def _finish(session: Session, merge: Merge, _now: datetime) -> None:
    session.exec(delete(MergeRow).where(col(MergeRow.merge_id) == merge.row.merge_id))
