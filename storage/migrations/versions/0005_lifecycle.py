"""What becomes of findings from report to report.

Reports that are here already are queued, to be worked in by the next process that catches up. Where they looked is not known, so
a finding is fixed by one of them only where it is listed as passing. Executions that are over are not read again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TIME = sa.DateTime(timezone=True)
_OLD_ORDER = ["report_key", "severity_rank", "check_id", "position"]


def upgrade() -> None:
    _create_tracked()
    op.create_table(
        "finding_fixes",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("fixed_at", _TIME, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("open_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "fixed_at", name="pk_finding_fixes"),
    )
    op.create_index("ix_finding_fixes_when", "finding_fixes", ["source", "fixed_at", "open_s"])
    op.create_table(
        "report_scopes",
        sa.Column("report_key", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.report_key"], name="fk_report_scopes_report_key"),
        sa.PrimaryKeyConstraint("report_key", "account_id", name="pk_report_scopes"),
    )
    _create_queues()
    # With what a comparison asks about, so that it need not read the findings themselves.
    op.drop_index("ix_findings_worst_first", "findings")
    op.create_index("ix_findings_worst_first", "findings", [*_OLD_ORDER, "status", "muted", "fingerprint"])
    _queue_what_is_here()


def _create_tracked() -> None:
    op.create_table(
        "tracked_findings",
        sa.Column("fingerprint", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("source", "account_id", "region", "check_id")
        ),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("report_key", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *(
            sa.Column(name, _TIME, nullable=False)
            for name in ("first_seen_at", "last_seen_at", "opened_at", "decided_at", "changed_at")
        ),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("fixed_at", _TIME, nullable=True),
        sa.Column("fixed_by", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("regressed_at", _TIME, nullable=True),
        sa.Column("regressed_from", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_key"], ["reports.report_key"], name="fk_tracked_findings_report_key"
        ),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_tracked_findings"),
    )
    order = ["severity_rank", "opened_at", "fingerprint"]
    _create_partial("ix_tracked_findings_open", "tracked_findings", order, "fixed_at IS NULL")
    _create_partial("ix_tracked_findings_fixed", "tracked_findings", order, "fixed_at IS NOT NULL")
    account = ["account_id"]
    _create_partial("ix_tracked_findings_account", "tracked_findings", account, "fixed_at IS NULL")
    regressed = "regressed_at IS NOT NULL"
    _create_partial("ix_tracked_findings_regressed", "tracked_findings", ["regressed_at"], regressed)
    op.create_index("ix_tracked_findings_changed_at", "tracked_findings", ["changed_at"])


def _create_queues() -> None:
    op.create_table(
        "report_merges",
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("report_key", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.report_key"], name="fk_report_merges_report_key"),
        sa.PrimaryKeyConstraint("merge_id", name="pk_report_merges"),
    )
    op.create_table(
        "finding_regressions",
        sa.Column("regression_id", sa.Integer(), nullable=False),
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name="fk_finding_regressions_execution_id"
        ),
        sa.PrimaryKeyConstraint("regression_id", name="pk_finding_regressions"),
    )
    _create_partial("ix_finding_regressions_untold", "finding_regressions", ["regression_id"], "told = false")
    op.create_table(
        "rechecks",
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("checked_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name="fk_rechecks_execution_id"
        ),
        sa.PrimaryKeyConstraint("execution_id", name="pk_rechecks"),
    )
    _create_partial("ix_rechecks_due", "rechecks", ["next_attempt_at"], "next_attempt_at IS NOT NULL")


def _create_partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _queue_what_is_here() -> None:
    op.execute(
        "INSERT INTO report_merges (report_key, phase, position, account_id) "
        "SELECT report_key, 'seen', 0, '' FROM reports WHERE state = 'visible' ORDER BY as_of, report_key"
    )
    op.execute(
        "INSERT INTO rechecks (execution_id, verdict, checked_at, attempts) "
        "SELECT execution_id, 'unread', created_at, 0 FROM executions WHERE status = 'COMPLETED'"
    )
