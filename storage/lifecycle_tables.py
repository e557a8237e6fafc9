"""Tables of what becomes of findings. All but the fixes can be worked out again from the reports."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.columns import JsonColumn
from storage.tables import Row

_IF_NOT_FIXED = text("fixed_at IS NULL")
_IF_FIXED = text("fixed_at IS NOT NULL")
_IF_REGRESSED = text("regressed_at IS NOT NULL")
_IF_DUE = text("next_attempt_at IS NOT NULL")
_IF_UNTOLD = text("told = false")


class TrackedRow(Row, table=True):
    """A finding that a report has shown failing at least once, as it stands.

    `report_key` and `position` name its newest appearance, `decided_at` the time of whatever spoke last about it: what is older
    than that changes nothing but when it was first seen. `changed_at` is when we learned of its state.
    """

    __tablename__ = "tracked_findings"
    __table_args__ = (
        Index(
            "ix_tracked_findings_open",
            "severity_rank",
            "opened_at",
            "fingerprint",
            sqlite_where=_IF_NOT_FIXED,
            postgresql_where=_IF_NOT_FIXED,
        ),
        Index(
            "ix_tracked_findings_account",
            "account_id",
            sqlite_where=_IF_NOT_FIXED,
            postgresql_where=_IF_NOT_FIXED,
        ),
        Index(
            "ix_tracked_findings_fixed",
            "severity_rank",
            "opened_at",
            "fingerprint",
            sqlite_where=_IF_FIXED,
            postgresql_where=_IF_FIXED,
        ),
        Index(
            "ix_tracked_findings_regressed",
            "regressed_at",
            sqlite_where=_IF_REGRESSED,
            postgresql_where=_IF_REGRESSED,
        ),
        Index("ix_tracked_findings_changed_at", "changed_at"),
    )

    fingerprint: str = Field(primary_key=True)
    source: str
    account_id: str
    region: str
    check_id: str
    severity_rank: int
    title: str
    resource: str
    report_key: int = Field(foreign_key="reports.report_key")
    position: int
    first_seen_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    decided_at: datetime
    changed_at: datetime
    muted: bool
    fixed_at: datetime | None
    fixed_by: str
    evidence: dict[str, object] | None = Field(sa_type=JsonColumn)
    regressed_at: datetime | None
    regressed_from: str


class FixRow(Row, table=True):
    """A finding that was fixed, once for each time: what the mean time to fix is taken over."""

    __tablename__ = "finding_fixes"
    __table_args__ = (Index("ix_finding_fixes_when", "source", "fixed_at", "open_s"),)

    fingerprint: str = Field(primary_key=True)
    fixed_at: datetime = Field(primary_key=True)
    source: str
    open_s: int


class ScopeRow(Row, table=True):
    """Where a report has looked: the regions and the checks that its findings of an account name.

    A report that holds only part of what a scan found has none: what it does not name may be there all the same.
    """

    __tablename__ = "report_scopes"

    report_key: int = Field(primary_key=True, foreign_key="reports.report_key")
    account_id: str = Field(primary_key=True)
    regions: list[str] = Field(sa_type=JsonColumn)
    checks: list[str] = Field(sa_type=JsonColumn)


class MergeRow(Row, table=True):
    """A visible report that is still to be worked into `tracked_findings`, in order of `merge_id`, and how far that has come."""

    __tablename__ = "report_merges"

    merge_id: int | None = Field(default=None, primary_key=True)
    report_key: int = Field(foreign_key="reports.report_key")
    phase: str
    position: int
    account_id: str


class RegressionRow(Row, table=True):
    """A finding that came back although an execution had fixed it. `told` once the people of its card know."""

    __tablename__ = "finding_regressions"
    __table_args__ = (
        Index(
            "ix_finding_regressions_untold",
            "regression_id",
            sqlite_where=_IF_UNTOLD,
            postgresql_where=_IF_UNTOLD,
        ),
    )

    regression_id: int | None = Field(default=None, primary_key=True)
    execution_id: str = Field(foreign_key="executions.execution_id")
    fingerprint: str
    report_id: str
    seen_at: datetime
    told: bool
    attempts: int
    next_attempt_at: datetime


class RecheckRow(Row, table=True):
    """What re-reading the resource of a completed execution showed, and when to look once more.

    Written in the transaction in which an execution completes, or begins to be rolled back, so that a crash loses nothing.
    """

    __tablename__ = "rechecks"
    __table_args__ = (
        Index("ix_rechecks_due", "next_attempt_at", sqlite_where=_IF_DUE, postgresql_where=_IF_DUE),
    )

    execution_id: str = Field(primary_key=True, foreign_key="executions.execution_id")
    verdict: str
    checked_at: datetime
    attempts: int
    next_attempt_at: datetime | None
