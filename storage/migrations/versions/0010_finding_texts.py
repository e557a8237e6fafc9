"""What findings of a report say alike is stored once. Findings that are here already keep all they say."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "finding_texts",
        sa.Column("report_key", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report_key"], ["reports.report_key"], name="fk_finding_texts_report_key"),
        sa.PrimaryKeyConstraint("report_key", "number", name="pk_finding_texts"),
    )
    op.add_column("findings", sa.Column("texts_number", sa.Integer(), nullable=True))
