"""A run that ended in the middle is taken over, goes on where that is harmless and signed, and never does a thing twice."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from audit.errors import Cause, PermanentActionError, RefusedError, StateError
from remediation.actions.registry import Step
from remediation.execution import ActionResult, PlaybookExecution
from remediation.journal import InHand
from remediation.memory import MemoryExecutions
from remediation.playbook import RemediationPlaybook
from remediation.ports import OWNER_LOST_AFTER
from remediation.protection import Freeze, Protection
from remediation.resuming import MOST_TAKEOVERS
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import (
    ANA,
    OMAR,
    POLICY,
    START,
    Bench,
    Switch,
    Switchboard,
    door_finding,
    door_playbook,
)
from tests.unit.remediation.power import PowerCutError, approved, cut_before_write, cut_power, run_until_cut

PLANNED = ActionResult("close_door", ActionStatus.PLANNED)


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def kinds(bench: Bench) -> list[str]:
    assert isinstance(bench.store, MemoryExecutions)
    return [orjson.loads(entry.body)["kind"] for entry in bench.store.trail]


def steps_of(bench: Bench, execution: PlaybookExecution) -> list[Step]:
    return bench.runner.planner.stored_steps(execution.playbook, execution.finding)


class Again(Switch):
    """A switch that must not be set twice."""

    action_type = "once"
    key = "once"
    idempotent = False


class Blind(Switch):
    """A switch that nobody can read back."""

    action_type = "blind"
    key = "blind"
    verifiable = False


def test_cut_before_the_write_goes_on(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.COMPLETED
    assert bench.board.switches == {"door": "closed"}
    assert bench.board.calls.count("after write") == 1
    begun = ["execution.taken_over", "action.not_done", "action.started", "action.completed"]
    assert kinds(bench)[-5:] == [*begun, "execution.completed"]
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}


def test_who_was_only_frozen_writes_nothing_down_any_more(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    frozen = bench.store.get(execution_id)
    other = replace(bench.runner, journal=replace(bench.runner.journal, owner="boot-other"), in_hand=InHand())
    settled = other.recover(execution_id)
    assert (settled.owner, settled.takeovers) == ("boot-other", 1)
    with pytest.raises(StateError):
        bench.runner.journal.end(frozen, PlaybookStatus.COMPLETED)
    writes = bench.board.calls.count("before write")
    with pytest.raises(StateError):
        bench.runner._run_steps(replace(frozen, actions=(PLANNED,)), steps_of(bench, frozen))
    assert bench.board.calls.count("before write") == writes


def test_it_is_taken_over_before_the_resource_is_read(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    owners = []
    bench.board.faults["read"] = lambda: owners.append(bench.store.get(execution_id).takeovers)
    bench.runner.recover(execution_id)
    assert owners
    assert set(owners) == {1}


@pytest.mark.parametrize("action_type", ["once", "blind"])
def test_what_is_not_harmless_is_not_done_again(action_type: str) -> None:
    bench = Bench(MemoryExecutions())
    bench = Bench(MemoryExecutions(), board=bench.board, others=(Again(bench.board), Blind(bench.board)))
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action("close_door", action_type, {"name": "door", "to": "closed"})
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    cut_power(bench, "before write")
    run_until_cut(bench, asked.execution_id)
    settled = bench.runner.recover(asked.execution_id)
    assert settled.status is (PlaybookStatus.FAILED if action_type == "once" else PlaybookStatus.INTERRUPTED)
    assert bench.board.switches == {"door": "open"}
    assert bench.board.calls.count("before write") == 1
    if action_type == "once":
        assert "Done: nothing. Not done: close_door" in str(settled.error)
        assert not settled.can_roll_back


def test_what_is_not_harmless_is_not_begun_after_an_interruption() -> None:
    board = Switchboard({"door": "open", "gate": "open"})
    bench = Bench(MemoryExecutions(), board=board, others=(Again(board),))
    book = door_playbook()
    book.add_action("close_gate", "once", {"name": "gate", "to": "closed"})
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    cut_power(bench, "after write")
    run_until_cut(bench, asked.execution_id)
    settled = bench.runner.recover(asked.execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "Done: close_door. Not done: close_gate. It does not go on by itself: close_gate" in str(
        settled.error
    )
    assert board.switches == {"door": "closed", "gate": "open"}


def test_an_approval_whose_time_is_over_is_no_reason_to_go_on(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    bench.now = bench.store.get(execution_id).expires_at
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "time of its approval is over" in str(settled.error)
    assert bench.board.switches == {"door": "open"}


def test_the_calendar_holds_for_what_goes_on_as_well() -> None:
    day = START.date() + timedelta(days=1)
    freeze = Freeze(first=day, last=day, zone=ZoneInfo("UTC"))
    policy = replace(POLICY, protection=Protection(freezes=(freeze,)), expires_after=timedelta(days=3))
    bench = Bench(MemoryExecutions(), policy=policy)
    execution_id = cut_before_write(bench)
    bench.pass_time(days=1)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "protection.freezes" in str(settled.error)
    assert bench.board.switches == {"door": "open"}


def test_other_rules_than_those_it_was_signed_under_stop_it(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    stricter = Bench(bench.store, policy=replace(POLICY, required_approvals=2), board=bench.board)
    settled = stricter.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "other rules" in str(settled.error)
    assert bench.board.switches == {"door": "open"}


def test_it_does_not_go_on_for_ever(bench: Bench) -> None:
    execution_id = cut_before_write(bench)
    for _ in range(MOST_TAKEOVERS):
        cut_power(bench, "before write")
        with pytest.raises(PowerCutError):
            bench.runner.recover(execution_id)
        bench.board.faults.clear()
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "interrupted 4 times" in str(settled.error)
    assert bench.board.switches == {"door": "open"}


def test_what_breaks_at_each_look_ends_with_a_person(bench: Bench) -> None:
    execution_id = cut_before_write(bench)

    def broken() -> None:
        raise KeyError("a mistake of ours")

    for _ in range(MOST_TAKEOVERS + 1):
        bench.board.faults["read"] = broken
        with pytest.raises(KeyError):
            bench.runner.recover(execution_id)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.INTERRUPTED
    assert "interrupted 5 times" in str(settled.error)


def test_cut_after_the_write_is_done_and_can_be_put_back(bench: Bench) -> None:
    execution_id = approved(bench)
    cut_power(bench, "after write")
    run_until_cut(bench, execution_id)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.COMPLETED
    assert settled.actions[0].message == "Found done after an interruption"
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}


def test_what_nobody_can_classify_goes_to_a_person(bench: Bench) -> None:
    execution_id = approved(bench)
    cut_power(bench, "after write")
    run_until_cut(bench, execution_id)
    bench.board.switches["door"] = "half"
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.INTERRUPTED
    assert settled.can_roll_back


def test_a_resource_that_cannot_be_read_is_not_classified(bench: Bench) -> None:
    execution_id = approved(bench)
    cut_power(bench, "after write")
    run_until_cut(bench, execution_id)

    def denied() -> None:
        raise PermanentActionError("no", cause=Cause.DENIED)

    bench.board.faults["read"] = denied
    assert bench.runner.recover(execution_id).status is PlaybookStatus.INTERRUPTED


def test_what_was_not_begun_is_begun_where_that_is_harmless(bench: Bench) -> None:
    bench.board.switches = {"door": "open", "gate": "open"}
    execution_id = approved(bench, "door", "gate")
    cut_power(bench, "after write")
    run_until_cut(bench, execution_id)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.COMPLETED
    assert [result.status for result in settled.actions] == [ActionStatus.COMPLETED] * 2
    assert bench.board.switches == {"door": "closed", "gate": "closed"}
    assert bench.board.calls.count("before write") == 2
    bench.runner.roll_back(execution_id, OMAR)
    assert bench.board.switches == {"door": "open", "gate": "open"}


def test_what_somebody_changed_meanwhile_is_not_gone_on_with(bench: Bench) -> None:
    bench.board.switches = {"door": "open", "gate": "open"}
    execution_id = approved(bench, "door", "gate")
    cut_power(bench, "after write")
    run_until_cut(bench, execution_id)
    bench.board.switches["gate"] = "bricked up"
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "bricked up" in str(settled.error)
    assert bench.board.switches == {"door": "closed", "gate": "bricked up"}


def test_an_interrupted_rollback_can_be_asked_for_again(bench: Bench) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    cut_power(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(execution_id, OMAR)
    bench.board.faults.clear()
    assert bench.store.get(execution_id).status is PlaybookStatus.ROLLING_BACK
    assert bench.runner.recover(execution_id).status is PlaybookStatus.ROLLBACK_FAILED
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}


def test_what_a_live_process_runs_is_left_alone(bench: Bench) -> None:
    execution_id = approved(bench)
    cut_power(bench, "after write")
    run_until_cut(bench, execution_id)
    bench.store.beat("boot-test", bench.now)
    assert bench.store.unfinished("boot-other", bench.now) == []
    assert [found.execution_id for found in bench.store.unfinished("boot-test", bench.now)] == [execution_id]
    later = bench.now + OWNER_LOST_AFTER + timedelta(seconds=1)
    assert [found.execution_id for found in bench.store.unfinished("boot-other", later)] == [execution_id]


def test_what_another_thread_has_in_hand_is_left_alone(bench: Bench) -> None:
    execution_id = approved(bench)
    with bench.runner.in_hand.taking(execution_id):
        assert bench.runner.run(execution_id).status is PlaybookStatus.APPROVED
        assert bench.runner.recover(execution_id).status is PlaybookStatus.APPROVED
        with pytest.raises(RefusedError, match="worked on"):
            bench.runner.roll_back(execution_id, OMAR)
    assert bench.runner.run(execution_id).status is PlaybookStatus.COMPLETED


def test_only_who_took_it_lets_it_go() -> None:
    hands = InHand()
    with hands.taking("x") as first:
        with hands.taking("x") as second:
            assert (first, second) == (True, False)
        with hands.taking("x") as third:
            assert not third
    with hands.taking("x") as fourth:
        assert fourth


def test_recovery_leaves_everything_else_as_it_is(bench: Bench) -> None:
    execution_id = approved(bench)
    assert bench.runner.recover(execution_id).status is PlaybookStatus.APPROVED


def test_the_trail_does_not_call_a_real_run_a_rehearsal(bench: Bench) -> None:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA, dry_run=True)
    assert "[DRY RUN]" in asked.actions[0].message
    bench.remediation.approve(asked.execution_id, OMAR)
    ran = bench.runner.run(asked.execution_id)
    assert not ran.dry_run
    assert isinstance(bench.store, MemoryExecutions)
    said = [orjson.loads(entry.body) for entry in bench.store.trail]
    assert [entry["detail"]["dry_run"] for entry in said] == [True] + [False] * (len(said) - 1)


def test_a_signature_for_another_way_of_doing_it_is_void_and_says_so(bench: Bench) -> None:
    execution_id = approved(bench)
    execution = bench.store.get(execution_id)
    assert execution.plan is not None
    other = replace(execution.plan.actions[0], params={"name": "door", "to": "closed", "gently": True})
    changed = replace(execution.plan, actions=(other,))
    decision = replace(execution.decisions[0], plan_digest=changed.digest)
    assert isinstance(bench.store, MemoryExecutions)
    bench.store._executions[execution_id] = replace(execution, plan=changed, decisions=(decision,))
    drifted = bench.runner.run(execution_id)
    assert drifted.status is PlaybookStatus.PENDING
    assert [change.setting for change in drifted.drift] == ["How it is done"]
