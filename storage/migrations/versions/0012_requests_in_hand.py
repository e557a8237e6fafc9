"""Who answers a request, and until when it is theirs without another sign of life."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("requests", sa.Column("held_by", sa.String(), nullable=True))
    op.add_column("requests", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
