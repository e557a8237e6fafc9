"""Which attempts of a fire do not count, and whether its error is for a person to mend; how noting a head of the trail fares."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("fires", sa.Column("excused", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("fires", sa.Column("to_mend", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("anchors", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("anchors", sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("anchors", sa.Column("places", sa.JSON(), nullable=False, server_default="[]"))
