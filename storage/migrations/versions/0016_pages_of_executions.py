"""What lists of executions are picked by, in columns and indexes: a page is read without the rows before it."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_PENDING = "status = 'PENDING'"
_RAN = "status NOT IN ('EXPIRED', 'PENDING', 'REJECTED')"
_NEW = ("severity", "account_id", "requester", "requester_email", "entry")
_PICKED_BY = ["status", "expires_at", "execution_id", "entry", "revision", "playbook_id", *_NEW[:4]]
_AT_ONCE = 1000
_LONGEST = 64
_ROWS = sa.table(
    "executions",
    sa.column("execution_id", sa.String()),
    sa.column("revision", sa.Integer()),
    sa.column("body", sa.JSON()),
    *(sa.column(name, sa.String()) for name in _NEW),
)


def upgrade() -> None:
    for name in _NEW:
        op.add_column("executions", sa.Column(name, sa.String(), nullable=False, server_default=""))
    _fill(op.get_bind())
    op.drop_index("ix_executions_created_at", "executions")
    op.create_index("ix_executions_newest", "executions", ["created_at", "execution_id"])
    op.create_index("ix_executions_asked_by", "executions", ["requester", "created_at", "execution_id"])
    op.drop_index("ix_executions_waiting", "executions")
    op.create_index("ix_executions_waiting", "executions", _PICKED_BY)
    _create_partial("ix_executions_entries", ["entry", "expires_at", "execution_id"], _PENDING)
    _create_partial("ix_executions_ran", ["created_at", "execution_id"], _RAN)


def _create_partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "executions", columns, sqlite_where=where, postgresql_where=where)


def _fill(bind: sa.Connection) -> None:
    this_one = sa.update(_ROWS).where(_ROWS.c.execution_id == sa.bindparam("name"))
    for rows in _some_at_a_time(bind):
        bind.execute(this_one, [{"name": row["execution_id"], **_values(row)} for row in rows])


def _some_at_a_time(bind: sa.Connection) -> Iterator[list[Mapping[str, Any]]]:
    last = ""
    wanted = sa.select(_ROWS.c.execution_id, _ROWS.c.revision, _ROWS.c.body).order_by(_ROWS.c.execution_id)
    while True:
        rows = [*bind.execute(wanted.where(_ROWS.c.execution_id > last).limit(_AT_ONCE)).mappings()]
        if not rows:
            return
        yield [dict(row) for row in rows]
        last = rows[-1]["execution_id"]


def _values(row: Mapping[str, Any]) -> dict[str, str]:
    body = row["body"]
    finding, requester = body.get("finding") or {}, body.get("requester") or {}
    batch_id = body.get("batch_id") or ""
    workspace, slack_id = requester.get("workspace") or "", requester.get("slack_id") or ""
    return {
        "severity": finding.get("severity") or "",
        "account_id": _short(finding.get("account_id") or ""),
        "requester": _short(f"{workspace}/{slack_id}") if workspace and slack_id else "",
        "requester_email": _short((requester.get("email") or "").strip().casefold()),
        "entry": _short(batch_id if batch_id and row["revision"] == 1 else row["execution_id"]),
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"#{hashlib.sha256(text.encode()).hexdigest()}"
