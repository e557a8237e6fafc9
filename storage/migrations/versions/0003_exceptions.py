"""Findings that a person decided to leave as they are, until a day."""

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
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name="fk_exceptions_execution_id"
        ),
        sa.PrimaryKeyConstraint("exception_id", name="pk_exceptions"),
    )
    op.create_index("ix_exceptions_fingerprint", "exceptions", ["fingerprint"])
    op.create_index("ix_exceptions_until", "exceptions", ["ended_at", "until"])
