"""Finding findings: by a name people type, or by words."""

import re

from sqlalchemy import ColumnElement, and_, func, literal, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from audit.errors import NotFoundError
from audit.findings import Finding, FindingStatus
from storage.columns import key_text
from storage.finding_texts import STORED, read_findings
from storage.tables import VISIBLE, FindingRow, ReportRow

_HANDLE = re.compile(r"f-([0-9a-f]{4,32})", re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_AFTER_HEX = "g"
_HANDLE_DIGITS = 8
_MOST_NAMED = 5


def find_finding(session: Session, name: str) -> Finding:
    """Return the one finding that goes by the name in the newest report that knows the name.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    by_name = _by_name(name.strip())
    report_key = session.exec(
        select(FindingRow.report_key)
        .join(ReportRow, col(ReportRow.report_key) == col(FindingRow.report_key))
        .where(ReportRow.state == VISIBLE, by_name)
        .order_by(col(ReportRow.as_of).desc(), col(ReportRow.report_key).desc())
        .limit(1)
    ).first()
    if report_key is None:
        raise NotFoundError(f"no finding goes by “{name[:80]}”")
    found = _distinct(session, and_(col(FindingRow.report_key) == report_key, by_name))
    if len(found) > 1:
        raise NotFoundError(_ambiguous(name, found))
    return found[0]


def search_report(session: Session, report_key: int, text: str, *, limit: int) -> list[Finding]:
    """Return the open findings of a report that hold the text, in any case, worst first."""
    handle = literal("f-").concat(func.substr(col(FindingRow.fingerprint), 1, _HANDLE_DIGITS))
    columns = (col(FindingRow.title), col(FindingRow.check_id), handle, col(FindingRow.resource))
    wanted = (
        sa_select(*STORED)
        .where(
            col(FindingRow.report_key) == report_key,
            col(FindingRow.status) == FindingStatus.FAIL.value,
            col(FindingRow.muted).is_(False),
            or_(*(column.icontains(text, autoescape=True) for column in columns)),
        )
        .order_by(col(FindingRow.severity_rank), col(FindingRow.check_id), col(FindingRow.position))
        .limit(limit)
    )
    return read_findings(session, session.connection().execute(wanted).all())


def _by_name(name: str) -> ColumnElement[bool]:
    """Return the condition for a name. A range serves a beginning, because LIKE does not use the index on SQLite."""
    fingerprint = col(FindingRow.fingerprint)
    if handle := _HANDLE.fullmatch(name):
        digits = handle[1].lower()
        return and_(fingerprint >= digits, fingerprint < digits + _AFTER_HEX)
    same_id = col(FindingRow.finding_id) == key_text(name)
    if _FINGERPRINT.fullmatch(name):
        return or_(same_id, fingerprint == name.lower())
    return same_id


def _distinct(session: Session, condition: ColumnElement[bool]) -> list[Finding]:
    """Return a few findings that differ in what they are about; a scanner may list the same one twice."""
    first_of_each = select(func.min(FindingRow.position)).where(condition).group_by(FindingRow.fingerprint)
    wanted = sa_select(*STORED).where(condition, col(FindingRow.position).in_(first_of_each))
    wanted = wanted.order_by(col(FindingRow.position)).limit(_MOST_NAMED)
    return read_findings(session, session.connection().execute(wanted).all())


def _ambiguous(name: str, found: list[Finding]) -> str:
    named = "; ".join(f"{finding.handle} {finding.title}" for finding in found)
    return f"more than one finding goes by “{name[:80]}”: {named}"
