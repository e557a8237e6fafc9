"""Findings that are fetched page by page, until all of them are here."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "pulls",
        sa.Column("pull_key", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pull_key", name="pk_pulls"),
    )
    op.create_table(
        "pull_pages",
        sa.Column("pull_key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pull_key"], ["pulls.pull_key"], name="fk_pull_pages_pull_key"),
        sa.PrimaryKeyConstraint("pull_key", "position", name="pk_pull_pages"),
    )
