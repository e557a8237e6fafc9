"""Nothing is put back over what a person set: only what is as we left it, or as it was."""

from dataclasses import replace

import pytest

from audit.errors import Cause, PermanentActionError, RefusedError
from remediation.actions.contract import Draft
from remediation.memory import MemoryExecutions
from remediation.plan import State, Target
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import (
    ANA,
    OMAR,
    Bench,
    Switch,
    Switchboard,
    SwitchParams,
    door_finding,
    door_playbook,
)
from tests.unit.remediation.power import PowerCutError, approved, cut_before_write, cut_power, run_until_cut


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def test_a_change_at_the_last_moment_of_a_rollback_is_not_overwritten(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    reads = bench.board.calls.count("read")

    def meddle_on_second_read() -> None:
        if bench.board.calls.count("read") == reads + 2:
            bench.board.switches["door"] = "bricked up"

    bench.board.faults["read"] = meddle_on_second_read
    rolled = bench.runner.roll_back(execution_id, OMAR)
    assert rolled.status is PlaybookStatus.ROLLBACK_FAILED
    assert "now bricked up. Next: somebody changed the resource" in str(rolled.error)
    assert rolled.actions[0].observed is None
    bench.board.faults.clear()
    refuse_rolling_back(bench, execution_id, "now bricked up")


def refuse_rolling_back(bench: Bench, execution_id: str, match: str) -> None:
    """Nothing is written over what a person set, however often somebody clicks; once they set it back, all is well."""
    theirs = dict(bench.board.switches)
    for _ in range(2):
        with pytest.raises(RefusedError, match=match):
            bench.runner.roll_back(execution_id, OMAR)
        assert bench.board.switches == theirs
    bench.board.switches["door"] = "open"
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_what_a_person_set_after_a_crash_is_not_what_we_left(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    bench.board.switches["door"] = "bricked up"
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.INTERRUPTED
    assert settled.actions[0].observed is None
    refuse_rolling_back(bench, execution_id, "was open, we set closed, now bricked up")


@pytest.mark.parametrize("moment", ["before write", "after write"])
def test_what_a_person_set_after_a_rollback_crashed_is_not_what_we_left(bench: Bench, moment: str) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    cut_power(bench, moment)
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(execution_id, OMAR)
    bench.board.faults.clear()
    bench.board.switches["door"] = "bricked up"
    assert bench.runner.recover(execution_id).status is PlaybookStatus.ROLLBACK_FAILED
    refuse_rolling_back(bench, execution_id, "now bricked up")


def test_what_a_person_set_while_our_write_was_denied_is_not_what_we_left(bench: Bench) -> None:
    execution_id = approved(bench)

    def deny() -> None:
        bench.board.switches["door"] = "bricked up"
        raise PermanentActionError("no", cause=Cause.DENIED, request_id="req-denied")

    bench.board.faults["before write"] = deny
    failed = bench.runner.run(execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert failed.actions[0].request_ids == ("req-denied",)
    bench.board.faults.clear()
    refuse_rolling_back(bench, execution_id, "now bricked up")


class Quiet(Switch):
    """A switch whose cloud confirms no write."""

    def _write(self, state: State) -> tuple[str, ...]:
        super()._write(state)
        return ()


def test_what_no_cloud_confirmed_is_not_what_we_left() -> None:
    board = Switchboard()
    bench = Bench(MemoryExecutions(), board=board, others=(Quiet(board),))
    execution_id = approved(bench)
    board.faults["after write"] = lambda: board.switches.update(door="half")
    assert bench.runner.run(execution_id).status is PlaybookStatus.FAILED
    board.faults.clear()
    refuse_rolling_back(bench, execution_id, "now half")


def test_what_was_left_and_put_back_is_what_we_left_no_more(bench: Bench) -> None:
    bench.board.switches = {"gate": "open", "door": "open"}
    execution_id = approved(bench, "gate", "door")

    def leave_half() -> None:
        if bench.board.calls.count("after write") == 2:
            bench.board.switches["door"] = "half"

    bench.board.faults["after write"] = leave_half
    assert bench.runner.run(execution_id).actions[1].observed == {"door": "half"}
    cut_power(bench, "before write", on=2)
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(execution_id, OMAR)
    bench.board.faults.clear()
    half_back = bench.runner.recover(execution_id)
    assert [each.status for each in half_back.actions] == [
        ActionStatus.ROLLBACK_FAILED,
        ActionStatus.ROLLED_BACK,
    ]
    bench.board.switches["door"] = "half"
    refuse_rolling_back(bench, execution_id, "now half")


class Pair(Switch):
    """Two switches, set one after the other."""

    action_type = "pair"
    key = "pair"

    def plan(self, target: Target, params: SwitchParams) -> Draft:
        names = params.name.split("+")
        return Draft(
            target=target,
            before={name: self.board.read(name) for name in names},
            after=dict.fromkeys(names, params.to),
        )


@pytest.mark.parametrize("gate", ["open", "closed", "bricked up"])
def test_a_half_state_is_ours_where_each_setting_is_as_before_or_as_planned(gate: str) -> None:
    board = Switchboard({"door": "open", "gate": "open"})
    bench = Bench(MemoryExecutions(), board=board, others=(Pair(board),))
    book = door_playbook(names=())
    book.add_action("close_both", "pair", {"name": "door+gate", "to": "closed"})
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    cut_power(bench, "after write")
    run_until_cut(bench, asked.execution_id)
    board.switches["gate"] = gate
    bench.runner.recover(asked.execution_id)
    if gate == "bricked up":
        with pytest.raises(RefusedError, match="gate: was open, we set closed, now bricked up") as refused:
            bench.runner.roll_back(asked.execution_id, OMAR)
        assert "door: was" not in str(refused.value)
        assert board.switches == {"door": "closed", "gate": "bricked up"}
    else:
        assert bench.runner.roll_back(asked.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
        assert board.switches == {"door": "open", "gate": "open"}


@pytest.mark.parametrize(
    "minutes", [5, 0, -5], ids=["later", "at the same time", "by a clock that was set back"]
)
def test_a_rollback_does_not_undo_a_later_fix(bench: Bench, minutes: int) -> None:
    first = approved(bench)
    bench.runner.run(first)
    bench.board.switches["door"] = "open"
    bench.pass_time(minutes=minutes)
    second = approved(bench)
    bench.runner.run(second)
    with pytest.raises(RefusedError, match=second):
        bench.runner.roll_back(first, OMAR)
    assert bench.board.switches == {"door": "closed"}
    bench.runner.roll_back(second, OMAR)
    assert bench.runner.roll_back(first, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_a_later_fix_is_found_behind_any_number_of_requests(bench: Bench) -> None:
    first = approved(bench)
    bench.runner.run(first)
    bench.board.switches["door"] = "open"
    second = approved(bench)
    bench.runner.run(second)
    bench.board.switches["door"] = "open"
    for _ in range(51):
        asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
        bench.remediation.reject(asked.execution_id, OMAR, reason="no")
    bench.board.switches["door"] = "closed"
    with pytest.raises(RefusedError, match=second):
        bench.runner.roll_back(first, OMAR)


def test_a_fix_that_nobody_numbered_may_be_later(bench: Bench) -> None:
    first = approved(bench)
    bench.runner.run(first)
    bench.board.switches["door"] = "open"
    second = approved(bench)
    bench.runner.run(second)
    assert isinstance(bench.store, MemoryExecutions)
    bench.store._executions[first] = replace(bench.store.get(first), run_number=0)
    with pytest.raises(RefusedError, match=first):
        bench.runner.roll_back(second, OMAR)


def test_what_we_left_half_done_ourselves_can_be_put_back(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.board.faults["after write"] = lambda: bench.board.switches.update(door="half")
    failed = bench.runner.run(execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert failed.actions[0].observed == {"door": "half"}
    bench.board.faults.clear()
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}
