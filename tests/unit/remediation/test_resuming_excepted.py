"""Somebody granted an exception while a run lay there half done: what was begun is finished or told, and nothing else is begun."""

from dataclasses import replace

import pytest

from audit.errors import RefusedError, UnavailableError
from remediation.excepted import FindingException, NoExceptions
from remediation.memory import MemoryExecutions
from remediation.runner import Runner
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.excepted import Held
from tests.fakes.switches import OMAR, Bench, Switchboard, door_finding
from tests.unit.remediation.power import approved, cut_before_write, cut_power, run_until_cut
from tests.unit.remediation.test_half_way import left_half_way, make_bench
from tests.unit.remediation.test_settling import interrupted


class Unreadable(NoExceptions):
    """Exceptions that nobody can read."""

    def holding(self, fingerprint: str, now: object) -> FindingException:
        raise UnavailableError(f"{fingerprint} cannot be read")


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions(), board=Switchboard({"door": "open", "gate": "open"}))


def excepted(bench: Bench) -> Runner:
    return replace(bench.runner, exceptions=Held(door_finding()))


def test_what_was_not_begun_is_left_as_it_is_and_what_was_done_is_told(bench: Bench) -> None:
    name = approved(bench, "door", "gate")
    cut_power(bench, "after write")
    run_until_cut(bench, name)
    settled = excepted(bench).recover(name)
    assert settled.status is PlaybookStatus.FAILED
    assert "Done: close_door. Not done: close_gate" in str(settled.error)
    assert "@U0PRIYA answers for leaving" in str(settled.error)
    assert bench.board.switches == {"door": "closed", "gate": "open"}
    assert bench.board.calls.count("before write") == 1
    assert bench.runner.roll_back(name, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open", "gate": "open"}


def test_what_was_about_to_be_written_is_not_written(bench: Bench) -> None:
    name = cut_before_write(bench)
    settled = excepted(bench).recover(name)
    assert settled.status is PlaybookStatus.FAILED
    assert "@U0PRIYA answers for leaving" in str(settled.error)
    assert bench.board.switches["door"] == "open"
    assert bench.board.calls.count("before write") == 1


def test_where_all_was_done_it_is_done(bench: Bench) -> None:
    name = approved(bench)
    cut_power(bench, "after write")
    run_until_cut(bench, name)
    assert excepted(bench).recover(name).status is PlaybookStatus.COMPLETED


def test_exceptions_that_cannot_be_read_let_nothing_be_written(bench: Bench) -> None:
    name = cut_before_write(bench)
    settled = replace(bench.runner, exceptions=Unreadable()).recover(name)
    assert settled.status is PlaybookStatus.FAILED
    assert "cannot be read" in str(settled.error)
    assert bench.board.switches["door"] == "open"


def test_half_of_a_change_is_finished_and_nothing_behind_it_is_begun() -> None:
    bench = make_bench()
    bench.board.switches["gate"] = "open"
    name = left_half_way(bench, names=("door", "gate"))
    settled = excepted(bench).recover(name)
    assert settled.status is PlaybookStatus.FAILED
    assert [each.status for each in settled.actions] == [ActionStatus.COMPLETED, ActionStatus.PLANNED]
    assert "@U0PRIYA answers for leaving" in str(settled.error)
    assert bench.board.switches == {"door": "closed", "gate": "open"}


def test_a_person_who_says_try_again_is_refused_until_the_exception_is_over(bench: Bench) -> None:
    name = interrupted(bench).execution_id
    bench.board.switches["door"] = "open"
    writes = bench.board.calls.count("before write")
    with pytest.raises(RefusedError, match="answers for leaving"):
        excepted(bench).try_again(name, OMAR)
    assert bench.store.get(name).status is PlaybookStatus.INTERRUPTED
    assert bench.board.calls.count("before write") == writes
    assert bench.runner.try_again(name, OMAR).status is PlaybookStatus.COMPLETED
