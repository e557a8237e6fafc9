"""A playbook may say that a run which fails is put back by itself: last step first, and only what it wrote."""

import pytest

from audit.actor import POLICY
from audit.errors import Cause, PermanentActionError, RefusedError
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, Bench, door_finding, door_playbook


@pytest.fixture
def bench() -> Bench:
    bench = Bench(MemoryExecutions())
    bench.board.switches = {"door": "open", "gate": "open", "hatch": "open"}
    return bench


def run(bench: Bench, *, is_wanted: bool = True) -> PlaybookExecution:
    book = door_playbook(names=("door", "gate", "hatch"))
    book.rollback_on_failure = is_wanted
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    return bench.runner.run(asked.execution_id)


def fail_at_write(bench: Bench, number: int) -> None:
    def fail() -> None:
        if bench.board.calls.count("before write") == number:
            raise PermanentActionError("no", cause=Cause.DENIED)

    bench.board.faults["before write"] = fail


def test_what_was_done_is_put_back(bench: Bench) -> None:
    fail_at_write(bench, 3)
    written: list[str] = []
    bench.board.faults["after write"] = lambda: written.append("{door} {gate}".format(**bench.board.switches))
    ran = run(bench)
    assert ran.status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open", "gate": "open", "hatch": "open"}
    assert written[-2:] == ["closed open", "open open"]  # the gate first, then the door
    assert ran.error is not None
    assert ran.error.endswith("What had been done was put back.")
    assert ran.decisions[-1].actor == POLICY


def test_where_the_playbook_does_not_say_so_it_stays_failed(bench: Bench) -> None:
    fail_at_write(bench, 3)
    assert run(bench, is_wanted=False).status is PlaybookStatus.FAILED
    assert bench.board.switches == {"door": "closed", "gate": "closed", "hatch": "open"}


def test_where_the_first_step_failed_the_rest_is_not_touched(bench: Bench) -> None:
    fail_at_write(bench, 1)
    ran = run(bench)
    assert ran.status is PlaybookStatus.ROLLED_BACK
    assert [result.status for result in ran.actions[1:]] == [ActionStatus.PLANNED] * 2
    assert set(bench.board.switches.values()) == {"open"}


def test_what_somebody_changed_meanwhile_is_not_overwritten(bench: Bench) -> None:
    def fail() -> None:
        if bench.board.calls.count("before write") == 2:
            bench.board.switches["door"] = "bricked up"
            raise PermanentActionError("no", cause=Cause.DENIED)

    bench.board.faults["before write"] = fail
    ran = run(bench)
    assert ran.status is PlaybookStatus.FAILED
    assert bench.board.switches["door"] == "bricked up"


def test_what_somebody_set_while_a_write_was_denied_is_not_overwritten_by_itself_nor_by_hand(
    bench: Bench,
) -> None:
    def deny() -> None:
        bench.board.switches["door"] = "bricked up"
        raise PermanentActionError("no", cause=Cause.DENIED, request_id="req-denied")

    bench.board.faults["before write"] = deny
    ran = run(bench)
    assert ran.status is PlaybookStatus.FAILED
    bench.board.faults.clear()
    with pytest.raises(RefusedError, match="now bricked up"):
        bench.runner.roll_back(ran.execution_id, OMAR)
    assert bench.board.switches["door"] == "bricked up"


def test_what_a_write_left_otherwise_than_planned_is_put_back_by_hand_only(bench: Bench) -> None:
    def leave_half() -> None:
        if bench.board.calls.count("after write") == 2:
            bench.board.switches["gate"] = "half"

    bench.board.faults["after write"] = leave_half
    ran = run(bench)
    assert ran.status is PlaybookStatus.FAILED
    assert bench.board.switches == {"door": "closed", "gate": "half", "hatch": "open"}
    bench.board.faults.clear()
    assert bench.runner.roll_back(ran.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert set(bench.board.switches.values()) == {"open"}
