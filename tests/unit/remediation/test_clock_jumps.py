"""A clock that jumps makes nobody run anything twice or out of time, and no decision undone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import RefusedError, StateError
from remediation.journal import InHand
from remediation.memory import MemoryExecutions
from remediation.ports import OWNER_LOST_AFTER
from remediation.runner import Runner
from remediation.states import PlaybookStatus
from tests.fakes.listening import Listener
from tests.fakes.switches import ANA, OMAR, PRIYA, Bench, door_finding, door_playbook


class PowerCutError(Exception):
    """The process ends here."""


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def approved(bench: Bench) -> str:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def left_running(bench: Bench) -> str:
    execution_id = approved(bench)

    def cut() -> None:
        raise PowerCutError

    bench.board.faults["before write"] = cut
    with pytest.raises(PowerCutError):
        bench.runner.run(execution_id)
    bench.board.faults.clear()
    return execution_id


def another(bench: Bench) -> Runner:
    """Return the runner of another process on the same store."""
    return replace(bench.runner, journal=replace(bench.runner.journal, owner="boot-other"), in_hand=InHand())


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=-1)])
def test_a_dead_owner_is_found_though_the_clock_has_jumped(bench: Bench, jump: timedelta) -> None:
    execution_id = left_running(bench)
    bench.store.beat("boot-test", bench.now)
    bench.now += jump
    assert [each.execution_id for each in bench.store.unfinished("boot-other", bench.now)] == [execution_id]
    other = Listener(bench)
    other.listen(OWNER_LOST_AFTER)
    assert other.runner.recover(execution_id).status is PlaybookStatus.COMPLETED
    assert bench.board.calls.count("after write") == 1


@pytest.mark.parametrize("moment", ["before write", "after write"])
@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=-1)])
def test_a_living_owner_keeps_its_run_though_the_clock_jumps_in_the_middle(
    bench: Bench, moment: str, jump: timedelta
) -> None:
    execution_id = approved(bench)
    other = Listener(bench)
    other.listen(OWNER_LOST_AFTER, beating="boot-test")

    def leap() -> None:
        bench.board.faults.clear()
        other.look()
        bench.now += jump
        assert bench.store.unfinished("boot-other", bench.now), "by the clock on the wall it is dead"
        other.pause(timedelta(hours=1))
        other.look()
        with pytest.raises(StateError, match="alive"):
            other.runner.recover(execution_id)

    bench.board.faults[moment] = leap
    assert bench.runner.run(execution_id).status is PlaybookStatus.COMPLETED
    assert bench.store.get(execution_id).takeovers == 0
    assert bench.board.calls.count("after write") == 1


def test_forward_what_was_approved_is_not_run_out_of_time(bench: Bench) -> None:
    execution_id = left_running(bench)
    bench.pass_time(days=400)
    settled = another(bench).recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert bench.board.switches == {"door": "open"}


def test_back_what_is_over_stays_over(bench: Bench) -> None:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
    bench.pass_time(days=2)
    bench.remediation.expire(bench.store.get(asked.execution_id))
    bench.pass_time(days=-2)
    with pytest.raises(RefusedError, match="time to decide is over"):
        bench.remediation.approve(asked.execution_id, OMAR)


def test_back_between_a_signature_and_the_run(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.pass_time(days=-3)
    ran = bench.runner.run(execution_id)
    assert ran.status is PlaybookStatus.COMPLETED
    assert bench.board.calls.count("after write") == 1
    with pytest.raises(RefusedError, match="already ran"):
        bench.remediation.approve(execution_id, PRIYA)
