"""A rollback of a batch that was ordered and is not over: another process goes on with it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "batch_returns",
        sa.Column("batch_id", sa.String(), sa.ForeignKey("batches.batch_id"), primary_key=True),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("takeovers", sa.Integer(), nullable=False),
    )
