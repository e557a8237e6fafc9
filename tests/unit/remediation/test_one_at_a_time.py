"""One execution at a time works on a resource: the same fix is joined, another one is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from audit.errors import HeldError, RefusedError
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA, Bench, door_finding, door_playbook


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def other_playbook() -> object:
    book = door_playbook()
    book.playbook_id = "OPEN-DOOR"
    return book


def test_the_same_fix_is_joined_and_the_trail_says_by_whom(bench: Bench) -> None:
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    second = bench.remediation.request(door_playbook(), replace(door_finding(), id="F-2"), OTTO)
    assert second.execution_id == first.execution_id
    assert second.requester == ANA
    assert isinstance(bench.store, MemoryExecutions)
    last = bench.store.trail[-1].body
    assert b"execution.joined" in last
    assert b"otto@northwind.example" in last


@pytest.mark.parametrize("is_approved", [False, True])
def test_another_fix_of_the_resource_is_refused_while_one_is_under_way(
    bench: Bench, *, is_approved: bool
) -> None:
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    if is_approved:
        bench.remediation.approve(first.execution_id, OMAR)
    with pytest.raises(RefusedError, match=f"{first.execution_id}.* is under way on board/door"):
        bench.remediation.request(other_playbook(), door_finding(), ANA)  # type: ignore[arg-type]


def test_when_it_is_over_the_next_may_begin(bench: Bench) -> None:
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    bench.remediation.reject(first.execution_id, OMAR, reason="not now")
    second = bench.remediation.request(other_playbook(), door_finding(), ANA)  # type: ignore[arg-type]
    assert second.execution_id != first.execution_id


class EndsAsItIsRead(MemoryExecutions):
    """Its execution ends right after somebody has read it to join it."""

    end: Callable[[], object] | None = None

    def get(self, execution_id: str) -> PlaybookExecution:
        found = super().get(execution_id)
        if self.end:
            end, self.end = self.end, None
            end()
        return found


def test_what_ends_while_somebody_joins_it_is_not_joined() -> None:
    store = EndsAsItIsRead()
    bench = Bench(store)
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    store.end = lambda: bench.remediation.reject(first.execution_id, OMAR, reason="not now")
    second = bench.remediation.request(door_playbook(), door_finding(), OTTO)
    assert second.execution_id != first.execution_id
    assert [b"execution.joined" in each.body for each in store.trail] == [False] * 3


def test_one_whose_time_is_over_holds_nothing(bench: Bench) -> None:
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    bench.pass_time(hours=25)
    second = bench.remediation.request(door_playbook(), door_finding(), ANA)
    assert second.execution_id != first.execution_id
    assert bench.store.get(first.execution_id).status is PlaybookStatus.EXPIRED


def test_a_rollback_waits_for_the_fix_that_is_under_way(bench: Bench) -> None:
    first = bench.remediation.request(door_playbook(), door_finding(), ANA)
    bench.remediation.approve(first.execution_id, OMAR)
    bench.runner.run(first.execution_id)
    bench.board.switches["door"] = "open"
    bench.remediation.request(door_playbook(), door_finding(), ANA)
    with pytest.raises(HeldError):
        bench.runner.roll_back(first.execution_id, OMAR)
    assert bench.board.switches == {"door": "open"}


def test_another_resource_and_an_unnamed_one_are_free(bench: Bench) -> None:
    names = ["board/door", "board/gate", "", ""]
    made = {
        bench.remediation.request(door_playbook(), replace(door_finding(), resource=name), ANA).execution_id
        for name in names
    }
    assert len(made) == len(names)


def test_of_many_at_once_one_is_made(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = list(
            pool.map(
                lambda number: (
                    bench.remediation.request(
                        door_playbook(), door_finding(), (ANA, OTTO, PRIYA)[number % 3]
                    ).execution_id
                ),
                range(24),
            )
        )
    assert len(set(asked)) == 1
