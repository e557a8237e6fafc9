"""What a sweep has to know of executions, read from an index alone: a thousand that wait cost it no thousand cards."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, String, cast, exists, literal, or_, select

from audit.findings import Severity
from remediation.execution import Glimpse
from remediation.states import PlaybookStatus
from storage.journal import EXECUTIONS
from storage.notices import NoticeRow
from storage.tables import table_of

_NOTICES: Final = table_of(NoticeRow)
_COLUMNS: Final = EXECUTIONS.c
_SEEN: Final = (
    _COLUMNS.execution_id,
    _COLUMNS.entry,
    _COLUMNS.revision,
    _COLUMNS.expires_at,
    _COLUMNS.severity,
    _COLUMNS.account_id,
    _COLUMNS.playbook_id,
)


def glimpses_of(
    status: PlaybookStatus,
    *,
    after: datetime | None,
    until: datetime | None,
    untold: str,
    number: str,
) -> Select[Any]:
    """Return the query for executions in a state, by when their time ends; see `ExecutionStore.glimpses`."""
    wanted = select(*_SEEN).where(_COLUMNS.status == status.value)
    if after is not None:
        wanted = wanted.where(_COLUMNS.expires_at > after)
    if until is not None:
        wanted = wanted.where(_COLUMNS.expires_at <= until)
    if untold:
        wanted = wanted.where(or_(_COLUMNS.entry != _COLUMNS.execution_id, ~_is_told(untold, number)))
    return wanted.order_by(_COLUMNS.expires_at, _COLUMNS.execution_id)


def to_glimpse(row: RowMapping) -> Glimpse:
    """Return what a row of `glimpses_of` says. An earlier program that still runs leaves its newest columns empty: then it may be the worst."""
    severity, entry = row["severity"] or Severity.CRITICAL, row["entry"] or row["execution_id"]
    return Glimpse(**{**row, "severity": Severity(severity), "entry": entry})


def _is_told(kind: str, number: str) -> ColumnElement[bool]:
    """Return the condition for what people were told; the name is spelled as in `remediation.attention.Notice`."""
    last = literal(number) if number else cast(_COLUMNS.revision, String)
    name = literal(f"{kind}:").concat(_COLUMNS.execution_id).concat(":").concat(last)
    return exists().where(_NOTICES.c.notice_id == name, _NOTICES.c.told)
