"""Two processes find what a third one left: one of them takes it over, and the other leaves that one alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from audit.errors import StateError
from remediation.memory import MemoryExecutions
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from tests.fakes.listening import Listener
from tests.fakes.switches import OMAR, Bench
from tests.unit.remediation.power import PowerCutError, cut_before_write, cut_power


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def heirs(bench: Bench) -> tuple[Listener, Listener]:
    """Return two processes that have both found out that `boot-test` is dead."""
    left, right = Listener(bench, "left"), Listener(bench, "right")
    for _ in range(2):
        for heir in (left, right):
            heir.listen(OWNER_LOST_AFTER / 2)
    return left, right


@pytest.mark.parametrize("moment", ["read", "before write", "after write"])
def test_who_comes_late_leaves_it_to_who_has_it(bench: Bench, moment: str) -> None:
    execution_id = cut_before_write(bench)
    bench.store.beat("boot-test", bench.now)
    left, right = heirs(bench)
    bench.board.calls.clear()

    def come_late() -> None:
        bench.board.faults.clear()
        with pytest.raises(StateError, match="left may be alive"):
            right.runner.recover(execution_id)

    bench.board.faults[moment] = come_late
    settled = left.runner.recover(execution_id)
    assert (settled.status, settled.owner, settled.takeovers) == (PlaybookStatus.COMPLETED, "left", 1)
    assert bench.board.calls.count("before write") == 1


def test_who_comes_late_to_a_rollback_leaves_it_too(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    bench.runner.recover(execution_id)
    cut_power(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(execution_id, OMAR)
    bench.board.faults.clear()
    bench.store.beat("boot-test", bench.now)
    left, right = heirs(bench)

    def come_late() -> None:
        bench.board.faults.clear()
        with pytest.raises(StateError, match="left may be alive"):
            right.runner.recover(execution_id)

    bench.board.faults["read"] = come_late
    assert left.runner.recover(execution_id).owner == "left"


class Interrupted(MemoryExecutions):
    """Its owner speaks up after somebody has looked who is alive."""

    def heard(self) -> Mapping[str, datetime]:
        heard = super().heard()
        if self.speaks:
            self.beat("boot-test", heard["boot-test"] + timedelta(seconds=1))
        return heard

    speaks = False


def test_who_speaks_between_the_look_and_the_swap_keeps_it() -> None:
    store = Interrupted()
    bench = Bench(store)
    execution_id = cut_before_write(bench)
    store.beat("boot-test", bench.now)
    left, _ = heirs(bench)
    store.speaks = True
    with pytest.raises(StateError, match="alive"):
        left.runner.recover(execution_id)
    assert store.get(execution_id).owner == "boot-test"


def test_the_heir_that_dies_in_turn_is_replaced(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    bench.store.beat("boot-test", bench.now)
    left, right = heirs(bench)
    cut_power(bench, "before write")
    with pytest.raises(PowerCutError):
        left.runner.recover(execution_id)
    bench.board.faults.clear()
    right.listen(OWNER_LOST_AFTER - timedelta(seconds=20))
    with pytest.raises(StateError):
        right.runner.recover(execution_id)
    right.listen(timedelta(seconds=20))
    settled = right.runner.recover(execution_id)
    assert (settled.status, settled.owner, settled.takeovers) == (PlaybookStatus.COMPLETED, "right", 2)
    assert bench.board.calls.count("after write") == 1
