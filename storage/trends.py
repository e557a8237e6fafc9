"""A row of reports: the same scanner's on the same account, with how long fixing took between them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import and_, case, func, or_
from sqlmodel import Session, col, select

from audit.findings import Severity
from audit.lifecycle import RowHead, TrendPoint, scanner_of
from storage.lifecycle_tables import FixRow
from storage.naming import named_report
from storage.tables import VISIBLE, ReportRow

_MOST_LOOKED_AT = 500
_ENDED_AFTER = timedelta(days=30)
_MOST_OF_A_MONTH = 2000


def trend(session: Session, report_id: str, *, limit: int) -> list[TrendPoint]:
    """Return the newest reports of the row that a report belongs to, up to it, oldest first.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    rows = _row_of(session, named_report(session, report_id), limit)
    times = [row.as_of for row in rows]
    means = _means(session, scanner_of(rows[-1].source), times)
    return [_point(row, mean) for row, mean in zip(rows, means, strict=True)]


def row_heads(session: Session) -> list[RowHead]:
    """Return the newest report of each row of the last 30 days, the row with the largest report first; see `FindingTracker.rows`."""
    newest = select(ReportRow.report_id, ReportRow.source, ReportRow.summary, ReportRow.as_of)
    newest = newest.where(ReportRow.state == VISIBLE)
    newest = newest.order_by(col(ReportRow.as_of).desc(), col(ReportRow.report_key).desc())
    found = session.exec(newest.limit(_MOST_OF_A_MONTH)).all()
    heads: dict[tuple[str, str], RowHead] = {}
    for report_id, source, summary, as_of in found:
        if as_of < found[0][-1] - _ENDED_AFTER:
            break
        whose, findings = (
            (scanner_of(source), str(summary["account_id"])),
            int(str(summary["total_findings"])),
        )
        head = heads.get(whose) or RowHead(
            scanner=whose[0], account_id=whose[1], report_id=report_id, most_findings=0, score=_score(summary)
        )
        heads[whose] = replace(head, most_findings=max(head.most_findings, findings))
    return sorted(heads.values(), key=lambda head: -head.most_findings)


def _row_of(session: Session, last: ReportRow, limit: int) -> list[ReportRow]:
    """Return the reports of the same scanner on the same account, up to `last`."""
    same_time = and_(col(ReportRow.as_of) == last.as_of, col(ReportRow.report_key) <= last.report_key)
    up_to = or_(col(ReportRow.as_of) < last.as_of, same_time)
    newest = select(ReportRow).where(ReportRow.state == VISIBLE, up_to)
    newest = newest.order_by(col(ReportRow.as_of).desc(), col(ReportRow.report_key).desc())
    rows = session.exec(newest.limit(_MOST_LOOKED_AT))
    scanner, account = scanner_of(last.source), last.summary["account_id"]
    alike = [
        row for row in rows if scanner_of(row.source) == scanner and row.summary["account_id"] == account
    ]
    return alike[:limit][::-1]


def _means(session: Session, scanner: str, times: Sequence[datetime]) -> list[timedelta | None]:
    """Return the mean time to fix in each span between two reports; none before the first."""
    spans = list(enumerate(pairwise(times)))
    if not spans:
        return [None] * len(times)
    when = col(FixRow.fixed_at)
    number = case(*((when <= until, position) for position, (_, until) in spans))
    wanted = (
        select(number, func.avg(FixRow.open_s))
        .where(FixRow.source == scanner, when > times[0], when <= times[-1])
        .group_by(number)
    )
    means = dict(session.exec(wanted).all())
    return [None, *(_span(means.get(position)) for position, _ in spans)]


def _span(seconds: object) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=round(float(str(seconds))))


def _point(row: ReportRow, mean: timedelta | None) -> TrendPoint:
    return TrendPoint(
        report_id=row.report_id,
        name=row.name,
        at=row.as_of,
        failing={severity: int(str(row.summary[severity.lower()])) for severity in Severity},
        score=_score(row.summary),
        mean_time_to_fix=mean,
    )


def _score(summary: Mapping[str, object]) -> float | None:
    score = summary["security_score"]
    return None if score is None else float(str(score))
