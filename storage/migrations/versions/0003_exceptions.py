"""Findings that a person decided to leave as they are, until a day; and what people were told, each once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "exceptions",
        sa.Column("exception_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("finding", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name="fk_exceptions_execution_id"
        ),
        sa.PrimaryKeyConstraint("exception_id", name="pk_exceptions"),
    )
    op.create_index("ix_exceptions_fingerprint", "exceptions", ["fingerprint"])
    op.create_index("ix_exceptions_until", "exceptions", ["ended_at", "until"])
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name="pk_notices"),
    )
    op.add_column("executions", sa.Column("wakes_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_executions_wakes_at", "executions", ["wakes_at"])
