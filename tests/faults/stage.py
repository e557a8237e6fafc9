"""A resource to fix, a database, and processes that come and go: each does what a bot does, and may die in it."""

import shutil
from pathlib import Path

import pytest

from audit.actor import Actor
from audit.errors import RefusedError
from audit.findings import Finding, Severity
from audit.trail import breaks
from remediation.actions.registry import ActionRegistry, Step
from remediation.execution import PlaybookExecution
from remediation.executor import CallerDirectory
from remediation.journal import Journal
from remediation.planning import Planner
from remediation.playbook import RemediationPlaybook
from remediation.policy import EXECUTOR_DEFAULT
from remediation.runner import Runner
from remediation.service import Remediation, utc_now
from remediation.states import PlaybookStatus
from storage import Stores
from tests.contract.backends_azure import clients_at
from tests.contract.backends_google import clients_for
from tests.contract.cases.azure import AzureCase
from tests.contract.cases.contract import ActionCase
from tests.contract.cases.gcp import GoogleCase
from tests.faults.dying import Fate, MortalClient, MortalStore, make_requests_mortal

ANA = Actor(workspace="T1", slack_id="U0ANA", email="ana@northwind.example")
OMAR = Actor(workspace="T1", slack_id="U0OMAR", email="omar@northwind.example")


def mortal_registry(case: ActionCase, fate: Fate) -> ActionRegistry:
    """Return a case's actions in whose every write the process may die; nothing is shared with the process that forked."""
    if isinstance(case, GoogleCase):
        make_requests_mortal(fate)
        case.clients = clients_for(case.cloud)
        return case.registry()
    if isinstance(case, AzureCase):
        case.clients = clients_at(case.arm.url)
    return case.registry(wrap=lambda client: MortalClient(client, fate))


class Stage:
    """One execution of a playbook, of one action where nothing else is said, approved and not begun."""

    def __init__(self, case: ActionCase, folder: Path, empty: Path, *, check_id: str = "") -> None:
        self.case = case
        self.check_id = check_id
        self.case.set_state(case.unsettled)
        self.original = case.read_raw()
        shutil.copy(empty, folder / "countersign.db")
        self.url = f"sqlite:///{folder}/countersign.db"
        self.folder = folder
        self.log = folder / "writes.log"
        self.back = folder / "writes.back"
        self.approver = OMAR
        self.execution_id = self._approved()

    def book(self) -> RemediationPlaybook:
        """Return what is run: the case's own action alone."""
        book = RemediationPlaybook("FIX", "Fix it", "Fixes it.", "Storage", "HIGH")
        written = self.case.written
        book.add_action(written.action_name, written.action_type, dict(written.params))
        return book

    def _approved(self) -> str:
        target = self.case.target()
        finding = Finding(
            id="F-1",
            check_id=self.check_id,
            title="It is open",
            severity=Severity.HIGH,
            resource=target.resource,
            provider=target.provider,
            account_id=target.account_id,
            region=target.region,
        )
        stores = Stores.open(self.url)
        planner = Planner(self.registry(), EXECUTOR_DEFAULT)
        remediation = Remediation(store=stores.executions, planner=planner, directory=CallerDirectory())
        asked = remediation.request(self.book(), finding, ANA)
        assert asked.status is PlaybookStatus.PENDING, asked.error
        remediation.approve(asked.execution_id, OMAR)
        stores.close()
        return asked.execution_id

    def runner(self, stores: Stores, fate: Fate, owner: str) -> Runner:
        journal = Journal(store=MortalStore(stores.executions, fate), owner=owner)
        return Runner(journal=journal, planner=Planner(self.mortal(fate), EXECUTOR_DEFAULT))

    def registry(self) -> ActionRegistry:
        """Return the actions, in which nobody dies."""
        return self.case.registry()

    def mortal(self, fate: Fate) -> ActionRegistry:
        """Return the actions, in whose every write the process may die."""
        return mortal_registry(self.case, fate)

    def run(self, fate: Fate) -> None:
        """Run what is approved, as the process that may die."""
        self.runner(Stores.open(self.url), fate, "boot-first").run(self.execution_id)
        self._note(fate)

    def roll_back(self, fate: Fate) -> None:
        """Put it back, as a process that may die."""
        self.runner(Stores.open(self.url), fate, "boot-back").roll_back(self.execution_id, OMAR)
        self._note(fate)

    def refuse_rolling_back(self) -> None:
        """Ask for a rollback, as a process of its own, that has to be refused: nothing may be written over."""
        with pytest.raises(RefusedError, match="Somebody changed"):
            self.roll_back(Fate(self.back))

    def sweep(self, log: Path) -> None:
        """Do what the sweep of the next process does: run what is approved, recover what nobody works on."""
        stores = Stores.open(self.url)
        self.sweep_with(self.runner(stores, Fate(log), "boot-second"), stores)

    def sweep_with(self, runner: Runner, stores: Stores) -> None:
        """Do what a sweep does, with a runner of one's own."""
        for execution in stores.executions.glimpses(PlaybookStatus.APPROVED):
            runner.run(execution.execution_id)
        for execution in stores.executions.unfinished("boot-second", utc_now()):
            runner.recover(execution.execution_id)

    def pass_time(self) -> None:
        """Let the time pass after which somebody else takes over: what a cloud was still doing has ended by then."""
        if isinstance(self.case, GoogleCase):
            self.case.cloud.compute.end_all()
        elif isinstance(self.case, AzureCase):
            self.case.arm.world.end_all()

    def _note(self, fate: Fate) -> None:
        (self.folder / "moments").write_text(str(fate.moments))

    def moments(self) -> int:
        """Return how many moments there were, as the process that went through all of them counted."""
        return int((self.folder / "moments").read_text())

    def step(self) -> Step:
        """Return the one step, on clients of this process."""
        return self.case.registry().resolve(self.case.written)

    def stored(self) -> PlaybookExecution:
        """Return the execution as it is stored; the trail has to be whole."""
        stores = Stores.open(self.url)
        execution = stores.executions.get(self.execution_id)
        assert not list(breaks(stores.trail.stream()))
        stores.close()
        return execution
