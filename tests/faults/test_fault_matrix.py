"""Changes of a bucket, a trail and a switch, on a process that dies before and after every journal write and every cloud call.

A second process then does what the worker's sweep does. Nothing may be lost, nothing done twice, and where it stands
must be definite.
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Self

import pytest

from audit.actor import Actor
from audit.findings import Finding, Severity
from audit.trail import breaks
from remediation.actions.registry import ActionRegistry
from remediation.execution import PlaybookExecution
from remediation.executor import CallerDirectory
from remediation.journal import Journal
from remediation.plan import Target
from remediation.planning import Planner
from remediation.playbook import PlaybookAction, RemediationPlaybook
from remediation.policy import EXECUTOR_DEFAULT
from remediation.runner import Runner
from remediation.service import Remediation, utc_now
from remediation.states import ActionStatus, PlaybookStatus
from storage import Stores, open_engine, upgrade
from tests.contract.cases.aws_logging import StartLoggingCase
from tests.contract.cases.aws_s3_public_access import S3PublicAccessCase
from tests.contract.cases.contract import ActionCase
from tests.fakes.switches import Switch, Switchboard
from tests.faults.dying import DIED, Fate, MortalClient, MortalStore, in_child

ANA = Actor(workspace="T1", slack_id="U0ANA", email="ana@northwind.example")
OMAR = Actor(workspace="T1", slack_id="U0OMAR", email="omar@northwind.example")
# Four journal writes: started, intent, what became of it, the end. Each, and each write to the cloud, has a before and an after.
JOURNAL = 8


class FileBoard(Switchboard):
    """A switchboard in a file, so that it outlives who switches."""

    def __init__(self, path: Path, fate: Fate | None = None) -> None:
        super().__init__()
        self.path = path
        self.fate = fate

    def read(self, name: str) -> object:
        return json.loads(self.path.read_text())[name]

    def write(self, name: str, value: object) -> None:
        if self.fate:
            self.fate.moment()
        self.path.write_text(json.dumps({name: value}))
        if self.fate:
            self.fate.wrote(f"{name}={value}")
            self.fate.moment()


class SwitchCase(ActionCase):
    """One switch."""

    written = PlaybookAction("close_door", "switch", {"name": "door", "to": "closed"})
    states = {"open": "open"}
    unsettled = "open"

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("tmp_path") / "board.json")

    def target(self) -> Target:
        return Target(provider="board", resource="board/door", account_id="1")

    def set_state(self, name: str) -> None:
        self.path.write_text(json.dumps({"door": name}))

    def read_raw(self) -> object:
        return json.loads(self.path.read_text())

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return ActionRegistry([Switch(FileBoard(self.path, wrap(None)._fate if wrap else None))])


# How many writes to the cloud each takes.
CASES: dict[str, tuple[type[ActionCase], int]] = {
    "switch": (SwitchCase, 1),
    "bucket": (S3PublicAccessCase, 1),
    "start logging": (StartLoggingCase, 1),
}
MOMENTS = [(name, point) for name, (_, writes) in CASES.items() for point in range(JOURNAL + 2 * writes + 1)]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database once; each test has a copy."""
    path = tmp_path_factory.mktemp("faults") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


class Stage:
    """A resource to fix, a database, and processes that come and go."""

    def __init__(self, case: ActionCase, folder: Path, empty: Path) -> None:
        self.case = case
        self.case.set_state(case.unsettled)
        shutil.copy(empty, folder / "countersign.db")
        self.url = f"sqlite:///{folder}/countersign.db"
        self.log = folder / "writes.log"
        self.execution_id = self._approved()

    def _approved(self) -> str:
        target = self.case.target()
        book = RemediationPlaybook("FIX", "Fix it", "Fixes it.", "Storage", "HIGH")
        written = self.case.written
        book.add_action(written.action_name, written.action_type, dict(written.params))
        finding = Finding(
            id="F-1",
            title="It is open",
            severity=Severity.HIGH,
            resource=target.resource,
            provider=target.provider,
            account_id=target.account_id,
            region=target.region,
        )
        stores = Stores.open(self.url)
        planner = Planner(self.case.registry(), EXECUTOR_DEFAULT)
        remediation = Remediation(store=stores.executions, planner=planner, directory=CallerDirectory())
        asked = remediation.request(book, finding, ANA)
        assert asked.status is PlaybookStatus.PENDING, asked.error
        remediation.approve(asked.execution_id, OMAR)
        stores.close()
        return asked.execution_id

    def runner(self, stores: Stores, fate: Fate, owner: str) -> Runner:
        registry = self.case.registry(wrap=lambda client: MortalClient(client, fate))
        journal = Journal(store=MortalStore(stores.executions, fate), owner=owner)
        return Runner(journal=journal, planner=Planner(registry, EXECUTOR_DEFAULT))

    def first(self, fate: Fate, count: Path) -> None:
        """Run, as the process that will die."""
        self.runner(Stores.open(self.url), fate, "boot-first").run(self.execution_id)
        count.write_text(str(fate.moments))

    def second(self) -> None:
        """Do what the sweep of the next process does: run what is approved, recover what nobody works on."""
        stores = Stores.open(self.url)
        runner = self.runner(stores, Fate(self.log), "boot-second")
        for execution in stores.executions.waiting(utc_now()):
            runner.run(execution.execution_id)
        for execution in stores.executions.unfinished("boot-second", utc_now()):
            runner.recover(execution.execution_id)

    def third(self) -> None:
        """Put it back."""
        stores = Stores.open(self.url)
        self.runner(stores, Fate(self.log.with_suffix(".back")), "boot-third").roll_back(
            self.execution_id, OMAR
        )

    def stored(self) -> PlaybookExecution:
        stores = Stores.open(self.url)
        execution = stores.executions.get(self.execution_id)
        assert not list(breaks(stores.trail.stream()))
        stores.close()
        return execution


@pytest.mark.slow
@pytest.mark.parametrize(("name", "point"), MOMENTS, ids=lambda value: str(value).replace(" ", "_"))
def test_whenever_it_dies(
    name: str, point: int, request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> None:
    kind, writes = CASES[name]
    stage = Stage(kind.prepare(request), tmp_path, empty_database)
    fate = Fate(stage.log, dies_at=point)
    last = JOURNAL + 2 * writes
    ended = in_child(lambda: stage.first(fate, tmp_path / "moments"))
    if point == last:
        assert ended == 0, "there are more moments than this table says"
        assert int((tmp_path / "moments").read_text()) == last
        assert stage.stored().status is PlaybookStatus.COMPLETED
        assert sum(fate.writes().values()) == writes
        return
    assert ended == DIED, "there are fewer moments than this table says"
    before = stage.stored()
    assert in_child(stage.second) == 0
    after = stage.stored()
    check_definite(after, fate.writes(), writes)
    if before.status is PlaybookStatus.RUNNING:
        assert after.owner == "boot-second"
    if after.can_roll_back:
        assert in_child(stage.third) == 0
        assert stage.stored().status is PlaybookStatus.ROLLED_BACK


def check_definite(after: PlaybookExecution, done: Counter[str], writes: int) -> None:
    """Hold the end to what was promised: definite, and no write more than a run without an accident has."""
    ends = {PlaybookStatus.COMPLETED, PlaybookStatus.FAILED, PlaybookStatus.INTERRUPTED}
    assert after.status in ends
    assert sum(done.values()) <= writes, done
    if after.status is PlaybookStatus.COMPLETED:
        assert sum(done.values()) == writes
        assert after.actions[0].status is ActionStatus.COMPLETED
        assert after.actions[0].before is not None
    if writes == 1:
        assert after.status is PlaybookStatus.COMPLETED, after.error
    if after.status is not PlaybookStatus.COMPLETED and done:
        assert after.actions[0].status in {ActionStatus.STARTED, ActionStatus.FAILED}
