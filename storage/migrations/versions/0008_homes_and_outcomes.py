"""Who has opened their home, and who was told what came of a request. What is over already is not told any more."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
_OVER = "('REJECTED', 'EXPIRED', 'COMPLETED', 'FAILED', 'INTERRUPTED', 'ROLLED_BACK', 'ROLLBACK_FAILED')"


def upgrade() -> None:
    op.create_table(
        "homes",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("slack_id", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "slack_id", name="pk_homes"),
    )
    op.create_table(
        "outcomes",
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name="fk_outcomes_execution_id"
        ),
        sa.PrimaryKeyConstraint("execution_id", "status", name="pk_outcomes"),
    )
    op.execute(
        "INSERT INTO outcomes (execution_id, status) "  # noqa: S608 - a constant of ours
        f"SELECT execution_id, status FROM executions WHERE status IN {_OVER}"
    )
