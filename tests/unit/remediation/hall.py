"""A hall of many doors: a bench with a playbook for every one of them, and batches."""

from dataclasses import dataclass, field, replace

from audit.actor import Actor
from audit.findings import Finding, Severity
from remediation.batch_deciding import BatchDecisions
from remediation.batch_rollbacks import BatchRollbacks
from remediation.batches import Batch, Members, return_digest, set_digest
from remediation.batching import Batching
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy
from remediation.service import Remediation
from storage import Stores
from tests.fakes.stores import MemoryStores
from tests.fakes.switches import ANA, POLICY, Bench, Switchboard


def hall_playbook(*, max_targets: int = 10) -> RemediationPlaybook:
    book = RemediationPlaybook("CLOSE-DOORS", "Close the doors", "Closes them.", "Network", "HIGH")
    book.add_action("close_door", "switch", {"name": "{{ finding.resource }}", "to": "closed"})
    book.max_targets = max_targets
    return book


def a_door(number: int, **changes: object) -> Finding:
    finding = Finding(
        id=f"F-{number}",
        title=f"Door {number} is open",
        severity=Severity.HIGH,
        resource=f"door-{number}",
        provider="board",
        account_id="1",
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def doors(count: int) -> list[Finding]:
    return [a_door(number) for number in range(1, count + 1)]


@dataclass
class Hall:
    """Everything for batches; most of it on stores in memory."""

    policy: Policy = POLICY
    stores: MemoryStores | Stores = field(default_factory=MemoryStores)
    board: Switchboard = field(
        default_factory=lambda: Switchboard({f"door-{number}": "open" for number in range(1, 61)})
    )

    def __post_init__(self) -> None:
        self.bench = Bench(self.stores.executions, self.policy, self.board)
        self.remediation: Remediation = replace(self.bench.remediation, exceptions=self.stores.exceptions)
        self.batching = Batching(self.remediation, self.stores.batches)
        self.decisions = BatchDecisions(self.remediation, self.stores.batches)
        self.rollbacks = BatchRollbacks(
            self.remediation, self.bench.runner, self.stores.batches, self.stores.returns
        )

    def ask(
        self,
        findings: list[Finding],
        *,
        by: Actor = ANA,
        batch_id: str = "b-1",
        book: RemediationPlaybook | None = None,
    ) -> Batch:
        return self.batching.ask(book or hall_playbook(), findings, by, batch_id=batch_id, channel="C1")

    def members(self, batch_id: str = "b-1") -> Members:
        return self.stores.batches.members(batch_id)

    def seen(self, batch_id: str = "b-1") -> str:
        """Return the digest that the card's button would carry now."""
        return set_digest(batch_id, self.members(batch_id).waiting)

    def seen_back(self, batch_id: str = "b-1") -> str:
        return return_digest(batch_id, self.members(batch_id).returnable)

    def approve(self, actor: Actor) -> None:
        self.decisions.approve("b-1", actor, set_seen=self.seen())

    def run(self) -> None:
        for execution in self.members().executions:
            self.bench.runner.run(execution.execution_id)

    def statuses(self) -> list[str]:
        return [each.status.value for each in self.members().executions]

    def kinds(self) -> list[str]:
        import json

        return [json.loads(entry.body)["kind"] for entry in self.stores.trail.stream()]
