"""Two reports side by side: what is new, what came back, what is left, what is gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Executable, and_, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from audit.findings import Finding, FindingStatus
from audit.lifecycle import Comparison, Portion
from storage.finding_texts import STORED, read_findings
from storage.lifecycle_tables import ScopeRow, TrackedRow
from storage.naming import named_report
from storage.report_rows import to_header
from storage.scopes import Scope
from storage.seeing import failing
from storage.tables import FindingRow, ReportRow

_Positions = Mapping[str, int]
_AT_ONCE = 5000


def compare(session: Session, before: str, after: str, *, limit: int) -> Comparison:
    """Return what changed between two reports, with at most `limit` of the worst findings for each kind of change.

    Raises:
        NotFoundError: none, or more than one, goes by one of the names.
    """
    old, new = (_Side.of(session, named_report(session, name)) for name in (before, after))
    came = [fingerprint for fingerprint in new.failing if fingerprint not in old.failing]
    went = [fingerprint for fingerprint in old.failing if fingerprint not in new.failing]
    back = _known_before(session, old, new) if came else frozenset()
    fixed = _shown_fixed(session, old, new, went)

    def portion(side: _Side, fingerprints: Sequence[str]) -> Portion:
        return Portion(len(fingerprints), side.findings(session, fingerprints[:limit]))

    still_open = islice((each for each in new.failing if each in old.failing), limit)
    return Comparison(
        before=to_header(old.row),
        after=to_header(new.row),
        new=portion(new, [each for each in came if each not in back]),
        regressed=portion(new, [each for each in came if each in back]),
        still_open=Portion(len(new.failing) - len(came), new.findings(session, list(still_open))),
        fixed=portion(old, [each for each in went if each in fixed]),
        unseen=portion(old, [each for each in went if each not in fixed]),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """A report, and where in it each failing finding stands, worst first."""

    row: ReportRow
    failing: _Positions

    @classmethod
    def of(cls, session: Session, row: ReportRow) -> "_Side":
        """Read a report's failing findings, from the index alone."""
        worst_first = col(FindingRow.severity_rank), col(FindingRow.check_id), col(FindingRow.position)
        wanted = (
            select(FindingRow.fingerprint, FindingRow.position)
            .where(FindingRow.report_key == row.report_key, failing())
            .order_by(*worst_first)
        )
        rows = _plain_rows(session, wanted)
        found = dict(rows)
        if len(found) < len(rows):  # a finding that is listed twice stands where its worst listing does
            found = {}
            for fingerprint, position in rows:
                found.setdefault(fingerprint, position)
        return cls(row, found)

    def findings(self, session: Session, fingerprints: Sequence[str]) -> tuple[Finding, ...]:
        """Return a few of the findings, in this order."""
        positions = [self.failing[fingerprint] for fingerprint in fingerprints]
        wanted = sa_select(*STORED, col(FindingRow.position)).where(
            col(FindingRow.report_key) == self.row.report_key, col(FindingRow.position).in_(positions)
        )
        rows = session.connection().execute(wanted).all()
        findings = read_findings(session, [row[:-1] for row in rows])
        found = {row[-1]: finding for row, finding in zip(rows, findings, strict=True)}
        return tuple(found[position] for position in positions)


def _plain_rows(session: Session, wanted: Executable) -> Sequence[Any]:
    """Return the driver's own rows: for a hundred thousand of them SQLAlchemy's take as long as the query."""
    return session.connection().execute(wanted).cursor.fetchall()


def _known_before(session: Session, old: _Side, new: _Side) -> frozenset[str]:
    """Return what is known to have come back between the two reports."""
    between = and_(
        col(TrackedRow.regressed_at) > old.row.as_of, col(TrackedRow.regressed_at) <= new.row.as_of
    )
    return frozenset(session.exec(select(TrackedRow.fingerprint).where(between)))


def _shown_fixed(session: Session, old: _Side, new: _Side, went: Sequence[str]) -> frozenset[str]:
    """Return which of those that no longer fail the newer report did look at: it lists them as passing, or looked there."""
    scopes = {
        row.account_id: Scope(frozenset(row.regions), frozenset(row.checks))
        for row in session.exec(select(ScopeRow).where(ScopeRow.report_key == new.row.report_key))
    }
    passing: set[str] = set()
    spared: set[str] = set()
    for fingerprint, status in _not_failing(session, new):
        (passing if status == FindingStatus.PASS.value else spared).add(fingerprint)
    unknown = [each for each in went if each not in passing and each not in spared]
    covered = (
        fingerprint
        for fingerprint, account, region, check in _places(session, old, unknown)
        if account in scopes and scopes[account].covers(region, check)
    )
    return frozenset(passing.union(covered)) - spared


def _not_failing(session: Session, side: _Side) -> Sequence[tuple[str, str]]:
    """Return what a report lists that does not count as failing, from the index alone."""
    counts = or_(col(FindingRow.status) != FindingStatus.FAIL.value, col(FindingRow.muted).is_(True))
    named = select(FindingRow.fingerprint, FindingRow.status)
    return _plain_rows(session, named.where(FindingRow.report_key == side.row.report_key, counts))


def _places(session: Session, side: _Side, fingerprints: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield where findings are: fingerprint, account, region, check."""
    places = select(FindingRow.fingerprint, FindingRow.account_id, FindingRow.region, FindingRow.check_id)
    for start in range(0, len(fingerprints), _AT_ONCE):
        positions = [side.failing[each] for each in fingerprints[start : start + _AT_ONCE]]
        named = col(FindingRow.position).in_(positions)
        yield from _plain_rows(session, places.where(FindingRow.report_key == side.row.report_key, named))
