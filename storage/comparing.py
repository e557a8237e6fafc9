"""Two reports side by side: what is new, what came back, what is left, what is gone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_
from sqlmodel import Session, col, select

from audit.findings import Finding, FindingStatus
from audit.lifecycle import Comparison, Portion
from storage.lifecycle_tables import ScopeRow, TrackedRow
from storage.naming import named_report
from storage.report_rows import to_finding, to_header
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

    def portion(side: _Side, fingerprints: Iterable[str]) -> Portion:
        return side.portion(session, list(fingerprints), limit)

    return Comparison(
        before=to_header(old.row),
        after=to_header(new.row),
        new=portion(new, (each for each in came if each not in back)),
        regressed=portion(new, (each for each in came if each in back)),
        still_open=portion(new, (each for each in new.failing if each in old.failing)),
        fixed=portion(old, (each for each in went if each in fixed)),
        unseen=portion(old, (each for each in went if each not in fixed)),
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
        found = session.connection().execute(wanted).all()
        return cls(row, _first_of_each(found))

    def portion(self, session: Session, fingerprints: Sequence[str], limit: int) -> Portion:
        """Return so many of the findings that stand first, and how many they are."""
        positions = [self.failing[fingerprint] for fingerprint in fingerprints[:limit]]
        bodies = session.exec(
            select(FindingRow.position, FindingRow.body).where(
                FindingRow.report_key == self.row.report_key, col(FindingRow.position).in_(positions)
            )
        )
        found: dict[int, Finding] = {position: to_finding(body) for position, body in bodies}
        return Portion(len(fingerprints), tuple(found[position] for position in positions))


def _first_of_each(found: Iterable[Sequence[object]]) -> _Positions:
    positions: dict[str, int] = {}
    for fingerprint, position in found:
        positions.setdefault(str(fingerprint), int(str(position)))
    return positions


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
    fixed: set[str] = set()
    for start in range(0, len(went), _AT_ONCE):
        some = went[start : start + _AT_ONCE]
        fixed |= _covered(session, old, some, scopes) | _passing(session, new, some)
    return frozenset(fixed) - _spared(session, new, fixed)


def _covered(
    session: Session, old: _Side, fingerprints: Sequence[str], scopes: Mapping[str, Scope]
) -> set[str]:
    places = select(FindingRow.fingerprint, FindingRow.account_id, FindingRow.region, FindingRow.check_id)
    positions = [old.failing[fingerprint] for fingerprint in fingerprints]
    rows = session.exec(
        places.where(FindingRow.report_key == old.row.report_key, col(FindingRow.position).in_(positions))
    )
    return {
        fingerprint
        for fingerprint, account, region, check in rows
        if account in scopes and scopes[account].covers(region, check)
    }


def _passing(session: Session, new: _Side, fingerprints: Sequence[str]) -> set[str]:
    return _listed(session, new, fingerprints, FindingStatus.PASS)


def _spared(session: Session, new: _Side, fingerprints: Iterable[str]) -> set[str]:
    """Return what the newer report lists, though neither failing nor passing: muted, or for a person to look at."""
    names = list(fingerprints)
    spared: set[str] = set()
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        spared |= _listed(session, new, some, FindingStatus.FAIL, FindingStatus.MANUAL)
    return spared


def _listed(session: Session, side: _Side, fingerprints: Sequence[str], *statuses: FindingStatus) -> set[str]:
    wanted = select(FindingRow.fingerprint).where(
        FindingRow.report_key == side.row.report_key,
        col(FindingRow.fingerprint).in_(fingerprints),
        col(FindingRow.status).in_([status.value for status in statuses]),
    )
    return set(session.exec(wanted))
