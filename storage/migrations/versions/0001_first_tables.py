"""The first tables: reports, executions, the inbox and the trail with its triggers."""

import sqlalchemy as sa
from alembic import op

from storage import triggers

revision = "0001"
down_revision = None

_VISIBLE = sa.text("state = 'visible'")
_OPEN = sa.text("payload IS NOT NULL")


def upgrade() -> None:
    _create_reports()
    _create_findings()
    _create_executions()
    _create_journal()
    _create_conversation()
    _create_trail()


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _create_reports() -> None:
    op.create_table(
        "reports",
        _whole("report_key"),
        _text("report_id"),
        _text("content_sha256"),
        _text("state"),
        _text("source"),
        _text("name"),
        _time("generated_at"),
        _time("as_of"),
        _time("begun_at"),
        _json("summary"),
        _json("compliance"),
        _json("recommendations"),
        _json("rejected"),
        sa.PrimaryKeyConstraint("report_key", name="pk_reports"),
    )
    op.create_index("ix_reports_newest", "reports", ["state", "as_of"])
    for name, column in (("content", "content_sha256"), ("id", "report_id")):
        op.create_index(
            f"uq_reports_visible_{name}",
            "reports",
            [column],
            unique=True,
            sqlite_where=_VISIBLE,
            postgresql_where=_VISIBLE,
        )


def _create_findings() -> None:
    op.create_table(
        "findings",
        _whole("report_key"),
        _whole("position"),
        _text("finding_id"),
        _text("fingerprint"),
        _whole("severity_rank"),
        _text("check_id"),
        _text("status"),
        sa.Column("muted", sa.Boolean(), nullable=False),
        _text("title"),
        _text("resource"),
        _text("account_id"),
        _text("region"),
        _bytes("body"),
        sa.ForeignKeyConstraint(["report_key"], ["reports.report_key"], name="fk_findings_report_key"),
        sa.PrimaryKeyConstraint("report_key", "position", name="pk_findings"),
    )
    op.create_index("ix_findings_finding_id", "findings", ["finding_id"])
    op.create_index("ix_findings_fingerprint", "findings", ["fingerprint"])
    op.create_index(
        "ix_findings_worst_first", "findings", ["report_key", "severity_rank", "check_id", "position"]
    )


def _create_executions() -> None:
    op.create_table(
        "executions",
        _text("execution_id"),
        _text("playbook_id"),
        _text("finding_id"),
        _text("fingerprint"),
        _text("resource"),
        _text("channel"),
        _text("status"),
        _whole("version"),
        _whole("revision"),
        _time("created_at"),
        _time("expires_at"),
        _json("body"),
        sa.PrimaryKeyConstraint("execution_id", name="pk_executions"),
    )
    for column in ("playbook_id", "finding_id", "fingerprint", "resource", "created_at"):
        op.create_index(f"ix_executions_{column}", "executions", [column])
    op.create_index("ix_executions_waiting", "executions", ["status", "expires_at"])
    op.create_table(
        "owners",
        _text("owner_id"),
        _time("seen_at"),
        sa.PrimaryKeyConstraint("owner_id", name="pk_owners"),
    )


def _create_journal() -> None:
    op.create_table(
        "execution_actions",
        _text("execution_id"),
        _whole("position"),
        _text("action_name"),
        _text("status"),
        _text("message"),
        _text("error", nullable=True),
        _json("before", nullable=True),
        _json("observed", nullable=True),
        _json("request_ids"),
        _time("started_at", nullable=True),
        _time("ended_at", nullable=True),
        *_keys_of_an_execution("execution_actions", "position"),
    )
    op.create_table(
        "decisions",
        _text("execution_id"),
        _whole("position"),
        _text("verdict"),
        _json("actor"),
        _time("at"),
        _whole("revision"),
        _text("plan_digest"),
        _text("reason"),
        *_keys_of_an_execution("decisions", "position"),
    )


def _create_conversation() -> None:
    op.create_table(
        "postings",
        _text("execution_id"),
        _whole("revision"),
        _text("channel"),
        _text("message_id"),
        _text("progress_id"),
        _whole("drawn_version"),
        _whole("attempts"),
        _whole("attempted_version"),
        _time("next_attempt_at", nullable=True),
        *_keys_of_an_execution("postings", "revision"),
    )
    op.create_table(
        "requests",
        _text("request_id"),
        _text("kind"),
        _json("actor"),
        _time("received_at"),
        _json("payload", nullable=True),
        _whole("attempts"),
        sa.PrimaryKeyConstraint("request_id", name="pk_requests"),
    )
    op.create_index(
        "ix_requests_open", "requests", ["received_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def _keys_of_an_execution(table: str, second: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name=f"fk_{table}_execution_id"
        ),
        sa.PrimaryKeyConstraint("execution_id", second, name=f"pk_{table}"),
    )


def _create_trail() -> None:
    op.create_table(
        "trail",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        _bytes("body"),
        _bytes("previous_hash"),
        _bytes("entry_hash"),
        sa.PrimaryKeyConstraint("seq", name="pk_trail"),
        sa.UniqueConstraint("previous_hash", name="uq_trail_previous_hash"),
        sa.UniqueConstraint("entry_hash", name="uq_trail_entry_hash"),
    )
    triggers.install(op.get_bind())
