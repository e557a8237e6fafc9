"""Two processes take over what a third one left, on SQLite and on Postgres: each run goes to one of them and is written once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest

from audit.errors import StateError
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.listening import Listener
from tests.fakes.switches import ANA, OMAR, Bench, Switchboard
from tests.unit.remediation.hall import doors, hall_playbook
from tests.unit.remediation.power import PowerCutError, cut_power

COUNT = 12


class Heir:
    """A process with a connection to the database of its own, that has found out who is dead."""

    def __init__(self, stores: Stores, board: Switchboard, owner: str) -> None:
        self.bench = Bench(stores.executions, board=board)
        self.listener = Listener(self.bench, owner)
        self.listener.listen(OWNER_LOST_AFTER)

    def recover(self, execution_id: str) -> bool:
        """Take over what nobody works on; tell whether this one was it."""
        with suppress(StateError):
            settled = self.listener.runner.recover(execution_id)
            return settled.owner == self.listener.owner and settled.status is PlaybookStatus.COMPLETED
        return False


@pytest.fixture
def second(racing: Stores, racing_url: str) -> Iterator[Stores]:
    assert racing
    opened = Stores.open(racing_url)
    yield opened
    opened.close()


@pytest.fixture
def board() -> Switchboard:
    return Switchboard({f"door-{number}": "open" for number in range(1, COUNT + 1)})


def left_by_a_dead_one(stores: Stores, board: Switchboard, count: int) -> list[str]:
    """Begin so many runs, each cut off right before its write, by a process that was alive then."""
    bench = Bench(stores.executions, board=board)
    stores.executions.beat("boot-test", bench.now)
    names = []
    for door in doors(count):
        asked = bench.remediation.request(hall_playbook(), door, ANA)
        names.append(bench.remediation.approve(asked.execution_id, OMAR).execution_id)
        cut_power(bench, "before write")
        with pytest.raises(PowerCutError):
            bench.runner.run(names[-1])
    board.faults.clear()
    board.calls.clear()
    return names


def test_each_run_goes_to_one_of_two_that_come_at_once(
    racing: Stores, second: Stores, board: Switchboard
) -> None:
    names = left_by_a_dead_one(racing, board, COUNT)
    heirs = [Heir(racing, board, "left"), Heir(second, board, "right")]
    starts = Barrier(2 * len(heirs))

    def take(heir: Heir, names: list[str]) -> list[bool]:
        starts.wait(30)
        return [heir.recover(name) for name in names]

    with ThreadPoolExecutor(2 * len(heirs)) as pool:
        halves = [(heir, names[half::2]) for heir in heirs for half in (0, 1)]
        got = [each.result() for each in [pool.submit(take, heir, part) for heir, part in halves]]
    assert sum(map(sum, got)) == COUNT, "each by exactly one"
    assert {racing.executions.get(name).takeovers for name in names} == {1}
    assert board.calls.count("before write") == COUNT
    assert set(board.switches.values()) == {"closed"}


def test_who_comes_late_finds_its_owner_alive(racing: Stores, second: Stores, board: Switchboard) -> None:
    (name,) = left_by_a_dead_one(racing, board, 1)
    left, right = Heir(racing, board, "left"), Heir(second, board, "right")
    came: list[bool] = []

    def come_late() -> None:
        board.faults.clear()
        came.append(right.recover(name))

    board.faults["before write"] = come_late
    assert left.recover(name)
    assert came == [False]
    assert board.calls.count("before write") == 1
    assert racing.executions.get(name).takeovers == 1
