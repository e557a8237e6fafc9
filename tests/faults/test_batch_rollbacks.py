"""Putting a batch back, on a process that is killed at any moment: the next one goes on by itself, and puts nothing back twice."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from audit.trail import TrailEvent
from remediation.batches import ReturnOrder
from storage import Stores
from storage.batch_returns import SqlReturns
from tests.fakes.switches import OMAR, PRIYA, Switchboard
from tests.faults.dying import DIED, Fate, MortalStore, in_child
from tests.unit.remediation.hall import Hall, doors

COUNT = 2
# Of each item four commits and one write, of the whole two commits: each with a moment before and one after it.
MOMENTS = 2 * (COUNT * 5 + 2)


class FileBoard(Switchboard):
    """A cloud that outlives the process, in whose every write the process may die."""

    def __init__(self, path: Path, fate: Fate) -> None:
        super().__init__()
        self._path, self._fate = path, fate

    def read(self, name: str) -> object:
        path = self._path / name
        return json.loads(path.read_text()) if path.exists() else "open"

    def write(self, name: str, value: object) -> None:
        self._fate.write(name, lambda: (self._path / name).write_text(json.dumps(value)))


class MortalReturns(SqlReturns):
    """Orders in whose every commit the process may die."""

    def __init__(self, inner: SqlReturns, fate: Fate) -> None:
        super().__init__(inner._database)
        self._fate = fate

    def put(self, order: ReturnOrder, event: TrailEvent) -> None:
        self._fate.moment()
        super().put(order, event)
        self._fate.moment()

    def end(self, order: ReturnOrder, refused: Mapping[str, str], event: TrailEvent) -> None:
        self._fate.moment()
        super().end(order, refused, event)
        self._fate.moment()


class Stage:
    """A hall on a database and a cloud in files."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.url = f"sqlite:///{folder / 'faults.db'}"
        self.cloud, self.log = folder / "cloud", folder / "log"
        self.cloud.mkdir()
        shutil.copy(empty, folder / "faults.db")

    def hall(self, fate: Fate, owner: str, *, minutes: int = 0) -> Hall:
        stores = Stores.open(self.url)
        mortal = replace(
            stores,
            executions=MortalStore(stores.executions, fate),
            returns=MortalReturns(stores.returns, fate),
        )
        hall = Hall(stores=mortal, board=FileBoard(self.cloud, fate))
        hall.bench.pass_time(minutes=minutes)
        runner = hall.bench.runner
        hall.bench.runner = replace(runner, journal=replace(runner.journal, owner=owner))
        hall.rollbacks = replace(hall.rollbacks, runner=hall.bench.runner)
        return hall

    def fix(self) -> None:
        hall = self.hall(Fate(self.log.with_suffix(".fix")), "boot-fix")
        hall.ask(doors(COUNT))
        hall.approve(OMAR)
        hall.run()
        assert hall.statuses() == ["COMPLETED"] * COUNT

    def put_back(self, fate: Fate) -> None:
        hall = self.hall(fate, "boot-first")
        hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())

    def sweep(self) -> None:
        """Do what a served bot does after its start, once the first is known to be dead."""
        hall = self.hall(Fate(self.log), "boot-second", minutes=3)
        for execution in hall.stores.executions.unfinished("boot-second", hall.bench.now):
            hall.bench.runner.recover(execution.execution_id)
        for batch_id in hall.stores.returns.left("boot-second", hall.bench.now):
            hall.rollbacks.go_on(batch_id)

    def look(self) -> tuple[list[str], bool]:
        """Return where the items stand, and whether nothing is left to go on with."""
        stores = Stores.open(self.url)
        states = [each.status.value for each in stores.batches.members("b-1").executions]
        is_over = stores.returns.get("b-1") is None
        stores.close()
        return states, is_over


@pytest.mark.slow
@pytest.mark.parametrize("point", range(MOMENTS + 1))
def test_whenever_it_dies(point: int, tmp_path: Path, empty_database: Path) -> None:
    stage = Stage(tmp_path, empty_database)
    assert in_child(stage.fix) == 0
    ended = in_child(lambda: stage.put_back(Fate(stage.log, dies_at=point)))
    assert ended == (0 if point == MOMENTS else DIED)
    assert in_child(stage.sweep) == 0
    states, is_over = stage.look()
    assert is_over
    if point == 0:
        assert states == ["COMPLETED"] * COUNT, (
            "nothing was ordered yet: the click is answered again by the inbox"
        )
        return
    assert states == ["ROLLED_BACK"] * COUNT
    assert Fate(stage.log).writes() == Counter({f"door-{n + 1}": 1 for n in range(COUNT)}), "put back twice"
