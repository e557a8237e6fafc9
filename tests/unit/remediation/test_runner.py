"""What was approved is exactly what runs, once, and it can be put back."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from audit.errors import Cause, PermanentActionError, RefusedError, TemporaryActionError, TrailError
from audit.trail import TrailEvent, breaks
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, POLICY, Bench, door_finding, door_playbook


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def approved(bench: Bench, *names: str) -> str:
    asked = bench.remediation.request(door_playbook(names=names or ("door",)), door_finding(), ANA)
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def fail(
    cause: Cause, kind: type[PermanentActionError] | type[TemporaryActionError] = PermanentActionError
) -> Callable[[], None]:
    def raise_it() -> None:
        raise kind("no", cause=cause)

    return raise_it


def kinds(bench: Bench) -> list[str]:
    assert isinstance(bench.store, MemoryExecutions)
    return [orjson.loads(entry.body)["kind"] for entry in bench.store.trail]


def test_it_runs_and_is_proven(bench: Bench) -> None:
    ran = bench.runner.run(approved(bench))
    assert ran.status is PlaybookStatus.COMPLETED
    assert bench.board.switches == {"door": "closed"}
    assert ran.actions[0].before == {"door": "open"}
    assert ran.actions[0].request_ids == ("req-1",)


def test_every_step_is_in_the_trail_and_the_chain_holds(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    bench.runner.roll_back(execution_id, OMAR)
    assert kinds(bench) == [
        "execution.requested",
        "execution.approved",
        "execution.started",
        "action.started",
        "action.completed",
        "execution.completed",
        "rollback.started",
        "rollback.action.started",
        "rollback.action.completed",
        "execution.rolled_back",
    ]
    assert isinstance(bench.store, MemoryExecutions)
    assert list(breaks(bench.store.trail)) == []


def test_the_state_before_is_committed_before_the_first_write(bench: Bench) -> None:
    execution_id = approved(bench)
    seen: list[PlaybookExecution] = []
    bench.board.faults["before write"] = lambda: seen.append(bench.store.get(execution_id))
    bench.runner.run(execution_id)
    assert seen[0].status is PlaybookStatus.RUNNING
    assert (seen[0].actions[0].status, seen[0].actions[0].before) == (ActionStatus.STARTED, {"door": "open"})


def test_without_a_trail_nothing_is_written(bench: Bench) -> None:
    execution_id = approved(bench)

    class Mute(MemoryExecutions):
        def _write(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
            if event.kind == "action.started":
                raise TrailError("full")
            return super()._write(execution, event)

    mute = Mute()
    mute.__dict__.update(bench.store.__dict__)
    with pytest.raises(TrailError):
        replace(bench.runner, journal=replace(bench.runner.journal, store=mute)).run(execution_id)
    assert bench.board.switches == {"door": "open"}


def test_what_is_not_approved_does_not_run(bench: Bench) -> None:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
    assert bench.runner.run(asked.execution_id).status is PlaybookStatus.PENDING
    assert bench.board.switches == {"door": "open"}


def test_a_second_run_does_nothing(bench: Bench) -> None:
    execution_id = approved(bench)
    first = bench.runner.run(execution_id)
    writes = bench.board.calls.count("before write")
    assert bench.runner.run(execution_id) == first
    assert bench.board.calls.count("before write") == writes


def test_drift_runs_nothing_and_asks_anew(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.board.switches["door"] = "ajar"
    drifted = bench.runner.run(execution_id)
    assert drifted.status is PlaybookStatus.PENDING
    assert drifted.revision == 2
    assert drifted.approvals == ()
    assert [(c.setting, c.before, c.after) for c in drifted.drift] == [("door", "open", "ajar")]
    assert bench.board.switches == {"door": "ajar"}
    bench.remediation.approve(execution_id, OMAR, revision=2)
    assert bench.runner.run(execution_id).status is PlaybookStatus.COMPLETED


def test_drift_to_the_goal_needs_nobody(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.board.switches["door"] = "closed"
    done = bench.runner.run(execution_id)
    assert done.status is PlaybookStatus.COMPLETED
    assert "before write" not in bench.board.calls


def test_other_rules_than_those_signed_under_void_the_approval(bench: Bench) -> None:
    execution_id = approved(bench)
    stricter = replace(bench.runner.planner, policy=replace(POLICY, required_approvals=2))
    drifted = replace(bench.runner, planner=stricter).run(execution_id)
    assert drifted.status is PlaybookStatus.PENDING
    assert [change.setting for change in drifted.drift] == ["Approval rules"]


def test_a_change_between_the_second_plan_and_the_write_stops_it(bench: Bench) -> None:
    execution_id = approved(bench)

    def meddle_on_third_read() -> None:
        if bench.board.calls.count("read") == 3:
            bench.board.switches["door"] = "ajar"

    bench.board.faults["read"] = meddle_on_third_read
    stopped = bench.runner.run(execution_id)
    assert stopped.status is PlaybookStatus.FAILED
    assert "Changed meanwhile" in str(stopped.error)
    assert bench.board.switches == {"door": "ajar"}
    assert not stopped.can_roll_back


def test_a_write_that_fails_is_reported_as_the_resource_shows(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.board.faults["before write"] = fail(Cause.DENIED)
    failed = bench.runner.run(execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert failed.actions[0].error is not None
    assert Cause.DENIED.next_step in failed.actions[0].error


def test_a_timeout_after_the_write_took_effect_is_no_failure(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.board.faults["after write"] = fail(Cause.TIMED_OUT, TemporaryActionError)
    ran = bench.runner.run(execution_id)
    assert ran.status is PlaybookStatus.COMPLETED
    assert "timed out" in ran.actions[0].message


def test_a_fix_that_does_not_hold_is_not_called_done(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.board.faults["after write"] = lambda: bench.board.switches.update(door="open")
    failed = bench.runner.run(execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert failed.actions[0].message == "Done, but not verified"


def test_later_actions_wait_for_earlier_ones_to_hold(bench: Bench) -> None:
    bench.board.switches = {"door": "open", "gate": "open"}
    execution_id = approved(bench, "door", "gate")
    bench.board.faults["before write"] = fail(Cause.DENIED)
    failed = bench.runner.run(execution_id)
    assert [result.status for result in failed.actions] == [ActionStatus.FAILED, ActionStatus.PLANNED]


def test_the_time_limit_is_kept_between_actions(bench: Bench) -> None:
    bench.board.switches = {"door": "open", "gate": "open"}
    execution_id = approved(bench, "door", "gate")
    bench.board.faults["after write"] = lambda: bench.pass_time(seconds=301)
    failed = bench.runner.run(execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert "time limit of 300 s" in str(failed.error)
    assert bench.board.switches == {"door": "closed", "gate": "open"}
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open", "gate": "open"}


def test_approved_long_ago_is_not_run(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.pass_time(hours=25)
    assert bench.runner.run(execution_id).status is PlaybookStatus.EXPIRED
    assert bench.board.switches == {"door": "open"}


def test_rollback_restores_in_reverse_order(bench: Bench) -> None:
    bench.board.switches = {"door": "open", "gate": None}
    execution_id = approved(bench, "door", "gate")
    bench.runner.run(execution_id)
    order: list[object] = []
    bench.board.faults["after write"] = lambda: order.append(dict(bench.board.switches))
    rolled = bench.runner.roll_back(execution_id, OMAR)
    assert rolled.status is PlaybookStatus.ROLLED_BACK
    assert order == [{"door": "closed", "gate": None}, {"door": "open", "gate": None}]
    assert rolled.decisions[-1].actor == OMAR


def test_rollback_never_overwrites_what_a_person_did_since(bench: Bench) -> None:
    execution_id = approved(bench)
    ran = bench.runner.run(execution_id)
    bench.board.switches["door"] = "bricked up"
    with pytest.raises(RefusedError, match="was open, we set closed, now bricked up") as refused:
        bench.runner.roll_back(execution_id, OMAR)
    assert "Nothing was changed. Next: look at board/door." in str(refused.value)
    assert bench.store.get(execution_id) == ran
    assert bench.board.switches == {"door": "bricked up"}


def test_rollback_twice_is_refused(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    bench.runner.roll_back(execution_id, OMAR)
    with pytest.raises(RefusedError, match="ROLLED_BACK"):
        bench.runner.roll_back(execution_id, OMAR)


def test_a_rollback_that_fails_says_so_and_may_be_tried_again(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    bench.board.faults["before write"] = fail(Cause.DENIED)
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLBACK_FAILED
    bench.board.faults.clear()
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_a_resource_already_put_back_is_not_written(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    bench.board.switches["door"] = "open"
    writes = bench.board.calls.count("before write")
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.calls.count("before write") == writes


def test_a_rollback_that_cannot_read_writes_nothing(bench: Bench) -> None:
    execution_id = approved(bench)
    ran = bench.runner.run(execution_id)
    bench.board.faults["read"] = fail(Cause.DENIED)
    with pytest.raises(PermanentActionError):
        bench.runner.roll_back(execution_id, OMAR)
    assert bench.store.get(execution_id) == ran


def test_a_playbook_may_forbid_rollback(bench: Bench) -> None:
    book = door_playbook()
    book.set_rollback_enabled(enabled=False)
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    bench.runner.run(asked.execution_id)
    with pytest.raises(RefusedError, match="nothing to roll back"):
        bench.runner.roll_back(asked.execution_id, OMAR)
