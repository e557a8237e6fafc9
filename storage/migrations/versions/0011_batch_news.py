"""Why items stayed is news for a batch's card however it is drawn; an outcome that Slack did not take is told later."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("batches", sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("told_due_at", sa.DateTime(timezone=True), nullable=True))
