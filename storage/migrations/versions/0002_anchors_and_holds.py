"""Which heads of the trail were noted outside the database; what an execution holds while it is under way."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "anchors",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_hash", sa.LargeBinary(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_anchors"),
    )
    # Executions made by earlier versions hold nothing; the ones that are under way may end as they would have.
    op.add_column("executions", sa.Column("held", sa.String(), nullable=True))
    op.create_index("uq_executions_held", "executions", ["held"], unique=True)
