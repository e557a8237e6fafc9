"""Histories walk an index from their newest entry: nothing is scanned, and nothing sorted but what was found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from storage import Stores
from tests.databases import stores_at

READINGS: dict[str, tuple[Callable[[Stores], object], str]] = {
    "playbook": (lambda stores: stores.executions.history(playbook_id="P"), "ix_executions_of_playbook"),
    "finding": (lambda stores: stores.executions.history(finding_id="F"), "ix_executions_of_finding"),
    "fingerprint": (lambda stores: stores.executions.history(finding_id="F"), "ix_executions_of_fingerprint"),
    "resource": (lambda stores: stores.executions.touching("r", "R"), "ix_executions_of_resource"),
}
# What more than one name finds is put in order; the others come in the index's own.
SORTED = {"finding", "fingerprint", "resource"}


@pytest.mark.parametrize("what", READINGS)
def test_walks_its_index(what: str, tmp_path: Path) -> None:
    read, index = READINGS[what]
    url = f"sqlite:///{tmp_path}/countersign.db"
    stores = stores_at(url)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, values: Any, *_: object) -> None:
        if "FROM executions" in statement:
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append("\n".join(row[3] for row in rows))

    event.listen(stores.executions._database._readers, "before_cursor_execute", explain)
    read(stores)
    stores.close()
    (plan,) = plans
    assert f"USING COVERING INDEX {index}" in plan or f"USING INDEX {index}" in plan
    assert "SCAN executions" not in plan
    assert "MULTI-INDEX OR" not in plan
    assert plan.count("TEMP B-TREE FOR ORDER BY") == (what in SORTED), plan
