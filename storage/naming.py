"""What people call things: an id, the beginning of one; for reports also the newest."""

from collections.abc import Sequence

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.errors import NotFoundError
from audit.ports import LATEST
from storage.columns import key_text
from storage.tables import VISIBLE, ReportRow

MOST_NAMED = 5


def newest_reports() -> SelectOfScalar[ReportRow]:
    """Return the query for visible reports, newest first."""
    newest_first = col(ReportRow.as_of).desc(), col(ReportRow.report_key).desc()
    return select(ReportRow).where(ReportRow.state == VISIBLE).order_by(*newest_first)


def named_report(session: Session, report_id: str, *, account: str = "") -> ReportRow:
    """Return a report by id, by an unambiguous beginning of it, or the newest; of an account's alone, where one is named.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    wanted = newest_reports()
    if account:
        wanted = wanted.where(col(ReportRow.summary)["account_id"].as_string() == key_text(account))
    if report_id != LATEST:
        wanted = wanted.where(col(ReportRow.report_id).startswith(report_id.lower(), autoescape=True))
    rows = session.exec(wanted.limit(MOST_NAMED)).all()
    if report_id != LATEST and len(rows) > 1:
        names = ", ".join(row.report_id for row in rows)
        raise NotFoundError(f"more than one report begins with “{report_id[:40]}”: {names}")
    if not rows:
        raise NotFoundError(_nothing(report_id, account))
    return rows[0]


def _nothing(report_id: str, account: str) -> str:
    if account:
        return f"there is no report about account “{account[:40]}”"
    if report_id == LATEST:
        return "there is no report yet: read one in with `countersign report ingest FILE`"
    return f"there is no report “{report_id[:40]}”"


def pick_named(name: str, ids: Sequence[str], *, kind: str) -> str:
    """Return the one of some ids that a name means: that id in any case, or the only one that begins with it.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    wanted, told = key_text(name.strip().lower()), name.strip()[:80]
    if not wanted or not ids:
        raise NotFoundError(f"there is no {kind} “{told}”")
    exact = [each for each in ids if each.lower() == wanted]
    if len(ids) > 1 and not exact:
        raise NotFoundError(f"more than one {kind} begins with “{told}”: {', '.join(ids)}")
    return (exact or ids)[0]
