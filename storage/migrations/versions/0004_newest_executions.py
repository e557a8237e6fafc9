"""The newest executions of a playbook, a finding or a resource, found without reading and sorting all of them."""

from alembic import op

revision = "0004"
down_revision = "0003"

_OF = {
    "ix_executions_of_playbook": "playbook_id",
    "ix_executions_of_finding": "finding_id",
    "ix_executions_of_fingerprint": "fingerprint",
    "ix_executions_of_resource": "resource",
}


def upgrade() -> None:
    for name, column in _OF.items():
        op.create_index(name, "executions", [column, "created_at", "execution_id"])
        op.drop_index(f"ix_executions_{column}", "executions")
