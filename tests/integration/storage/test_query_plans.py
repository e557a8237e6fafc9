"""Lists walk an index from their first entry: nothing is scanned, and nothing sorted but what was found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from audit.findings import Severity
from remediation.pending_query import ALL_PENDING, PendingQuery, Signer
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from storage import Stores
from tests.databases import stores_at
from tests.fakes.samples import APPROVER, NOW

RULES = (Rule(severities=frozenset({Severity.HIGH}), accounts=frozenset({"1"}), playbooks=frozenset({"P"})),)
PENDING = PlaybookStatus.PENDING
MINE = PendingQuery(
    severities=frozenset({Severity.HIGH}),
    accounts=frozenset({"1"}),
    playbooks=frozenset({"P"}),
    signer=Signer(actor=APPROVER, rules=RULES, places=frozenset({0, None}), now=NOW),
)
READINGS: dict[str, tuple[Callable[[Stores], object], str]] = {
    "playbook": (lambda stores: stores.executions.history(playbook_id="P"), "ix_executions_of_playbook"),
    "finding": (lambda stores: stores.executions.history(finding_id="F"), "ix_executions_of_finding"),
    "fingerprint": (lambda stores: stores.executions.history(finding_id="F"), "ix_executions_of_fingerprint"),
    "resource": (lambda stores: stores.executions.touching("r", "R"), "ix_executions_of_resource"),
    "everything": (lambda stores: stores.executions.history(), "ix_executions_newest"),
    "a later page": (lambda stores: stores.executions.history(offset=100), "ix_executions_newest"),
    "ran": (lambda stores: stores.finder.ran(), "ix_executions_ran"),
    "asked by": (lambda stores: stores.finder.asked_by(APPROVER), "ix_executions_asked_by"),
    "pending": (lambda stores: stores.finder.entries(ALL_PENDING, offset=100), "ix_executions_waiting"),
    "mine": (lambda stores: stores.finder.entries(MINE, offset=100), "ix_executions_waiting"),
    "count": (lambda stores: stores.finder.count_entries(MINE), "ix_executions_waiting"),
    "reminders": (
        lambda stores: stores.executions.glimpses(PENDING, after=NOW, until=NOW, untold="reminder"),
        "ix_executions_waiting",
    ),
    "rollbacks": (lambda stores: stores.finder.rollbacks(), "ix_executions_wakes_at"),
}
# These walk one from its newest entry, and stop: a scan that ends with the page.
WALKED = {"everything", "a later page", "ran"}
# These pick what they show without a look at the rows.
COVERED = {"a later page", "pending", "mine", "count", "reminders"}
# What more than one name finds is put in order; the others come in the index's own.
SORTED = {"finding", "fingerprint", "resource", "a later page", "pending", "mine"}


@pytest.mark.parametrize("what", READINGS)
def test_walks_its_index(what: str, tmp_path: Path) -> None:
    read, index = READINGS[what]
    url = f"sqlite:///{tmp_path}/countersign.db"
    stores = stores_at(url)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, values: Any, *_: object) -> None:
        if "FROM executions" in statement.split("JOIN", maxsplit=1)[0]:
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append("\n".join(row[3] for row in rows))

    event.listen(stores.executions._database._readers, "before_cursor_execute", explain)
    read(stores)
    stores.close()
    (plan,) = plans
    covers = f"USING COVERING INDEX {index}" in plan
    assert covers or (what not in COVERED and f"USING INDEX {index}" in plan)
    assert plan.count("SCAN executions") == (what in WALKED), plan
    assert "MULTI-INDEX OR" not in plan
    assert plan.count("TEMP B-TREE FOR ORDER BY") == (what in SORTED), plan
