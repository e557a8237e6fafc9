"""Guards behind which another one stands: each is the only one that this sees."""

from dataclasses import replace

import orjson
import pytest

from audit.actor import POLICY as BY_POLICY
from audit.errors import RefusedError, StateError
from remediation.actions.contract import Draft
from remediation.attention import Attention, Herald
from remediation.execution import PlaybookExecution, Verdict
from remediation.journal import InHand
from remediation.memory import MemoryExecutions
from remediation.plan import Target
from remediation.policy import is_approved
from remediation.protection import Protection
from remediation.rollback import rollback_digest
from remediation.rollbacks import Rollbacks
from remediation.rules import BreakGlass
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.excepted import Held
from tests.fakes.stores import MemoryStores
from tests.fakes.switches import (
    ANA,
    OMAR,
    POLICY,
    PRIYA,
    START,
    Bench,
    Switch,
    Switchboard,
    SwitchParams,
    door_finding,
    door_playbook,
)

S = PlaybookStatus


class PowerCutError(Exception):
    """The process ends here."""


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def ask(bench: Bench, *names: str) -> PlaybookExecution:
    return bench.remediation.request(door_playbook(names=names or ("door",)), door_finding(), ANA)


def approved(bench: Bench, *names: str) -> str:
    return bench.remediation.approve(ask(bench, *names).execution_id, OMAR).execution_id


def put(bench: Bench, execution: PlaybookExecution) -> PlaybookExecution:
    """Let an execution stand in the store as somebody with the database would have put it there."""
    assert isinstance(bench.store, MemoryExecutions)
    bench.store._executions[execution.execution_id] = execution
    return execution


def cut(bench: Bench, call: str) -> None:
    def fault() -> None:
        bench.board.faults.clear()
        raise PowerCutError

    bench.board.faults[call] = fault


def test_whoever_asked_is_refused_before_anybody_is_looked_up(bench: Bench) -> None:
    asked = ask(bench)
    bench.people.broken = RefusedError("the directory was asked")
    with pytest.raises(RefusedError, match="You asked for this fix"):
        bench.remediation.approve(asked.execution_id, ANA)


def test_the_policys_own_signature_is_none_where_the_playbook_asks_for_people(bench: Bench) -> None:
    asked = ask(bench)
    signed = asked.decided(Verdict.APPROVE, BY_POLICY, START)
    assert not is_approved(POLICY, signed)
    assert not is_approved(replace(POLICY, unattended_playbooks=None), signed)


def test_a_no_to_an_old_card_or_in_no_time_is_none(bench: Bench) -> None:
    asked = ask(bench)
    with pytest.raises(RefusedError, match="card is out of date"):
        bench.remediation.reject(asked.execution_id, OMAR, reason="no", revision=asked.revision + 1)
    bench.pass_time(hours=25)
    with pytest.raises(RefusedError, match="time to decide is over"):
        bench.remediation.reject(asked.execution_id, OMAR, reason="no")
    assert bench.store.get(asked.execution_id).status is S.PENDING


def test_a_no_to_what_is_approved_says_so(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="it is already approved"):
        bench.remediation.reject(approved(bench), OMAR, reason="no")


GLASS = replace(POLICY, break_glass=BreakGlass(people=frozenset({"U0ANA"})))


def test_broken_glass_opens_no_exception() -> None:
    bench = Bench(MemoryExecutions(), GLASS)
    asked = ask(bench)
    excepted = replace(bench.remediation, exceptions=Held(door_finding()))
    with pytest.raises(RefusedError, match="answers for leaving"):
        excepted.break_glass(asked.execution_id, ANA, reason="now")
    with pytest.raises(RefusedError, match="answers for leaving"):
        excepted.approve(asked.execution_id, OMAR)
    assert bench.store.get(asked.execution_id).status is S.PENDING


def test_broken_glass_opens_no_old_card_and_nothing_whose_time_is_over() -> None:
    bench = Bench(MemoryExecutions(), GLASS)
    asked = ask(bench)
    with pytest.raises(RefusedError, match="card is out of date"):
        bench.remediation.break_glass(asked.execution_id, ANA, reason="now", revision=asked.revision + 1)
    bench.pass_time(hours=25)
    with pytest.raises(RefusedError, match="time to decide is over"):
        bench.remediation.break_glass(asked.execution_id, ANA, reason="now")


def test_glass_is_whole_where_no_policy_names_anybody(bench: Bench) -> None:
    asked = ask(bench)
    broken = replace(asked, decisions=(*asked.decided(Verdict.BREAK_GLASS, ANA, START).decisions,))
    assert not is_approved(POLICY, broken)


def test_an_approved_one_that_nobody_signed_does_not_run(bench: Bench) -> None:
    asked = ask(bench)
    put(bench, asked.moved(S.APPROVED))
    assert bench.runner.run(asked.execution_id).status is S.PENDING
    assert bench.board.switches == {"door": "open"}


def test_a_run_that_nobody_signed_does_not_go_on(bench: Bench) -> None:
    name = approved(bench)
    cut(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.run(name)
    put(bench, replace(bench.store.get(name), decisions=()))
    settled = bench.runner.recover(name)
    assert settled.status is S.FAILED
    assert "signatures are no longer enough" in str(settled.error)
    assert bench.board.switches == {"door": "open"}


class Fickle(Switch):
    """A switch whose plan may be another one the next time, though the door is as it was."""

    to = "closed"

    def plan(self, target: Target, params: SwitchParams) -> Draft:
        return replace(super().plan(target, params), after={params.name: self.to})


def test_what_would_be_planned_otherwise_by_now_does_not_go_on() -> None:
    board = Switchboard()
    fickle = Fickle(board)
    bench = Bench(MemoryExecutions(), board=board, others=(fickle,))
    name = approved(bench)
    cut(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.run(name)
    fickle.to = "bricked up"
    settled = bench.runner.recover(name)
    assert settled.status is S.FAILED
    assert "no longer what was signed" in str(settled.error)
    assert board.switches == {"door": "open"}


def test_what_comes_after_a_failed_action_is_not_begun_after_a_crash() -> None:
    bench = Bench(MemoryExecutions(), board=Switchboard({"door": "open", "window": "open"}))
    name = approved(bench, "door", "window")
    cut(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.run(name)
    stored = bench.store.get(name)
    failed = replace(stored.actions[0], status=ActionStatus.FAILED, error="no")
    put(bench, stored.with_action(0, failed))
    settled = bench.runner.recover(name)
    assert settled.status is S.FAILED
    assert settled.error == "no", "as it would have ended without the crash"
    assert bench.board.switches == {"door": "open", "window": "open"}


def test_who_was_frozen_in_a_rollback_writes_nothing_down_any_more(bench: Bench) -> None:
    name = approved(bench)
    bench.runner.run(name)
    cut(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(name, OMAR)
    frozen = bench.store.get(name)
    bench.board.faults["read"] = lambda: owners.append(bench.store.get(name).owner)
    owners: list[str] = []
    other = replace(bench.runner, journal=replace(bench.runner.journal, owner="boot-other"), in_hand=InHand())
    assert other.recover(name).owner == "boot-other"
    assert set(owners) == {"boot-other"}, "it is taken over before anything is read"
    with pytest.raises(StateError):
        bench.runner.journal.end(frozen, S.ROLLED_BACK)
    assert isinstance(bench.store, MemoryExecutions)
    assert "execution.taken_over" in {orjson.loads(entry.body)["kind"] for entry in bench.store.trail}


def test_a_rollback_that_does_not_hold_is_not_called_done(bench: Bench) -> None:
    name = approved(bench)
    bench.runner.run(name)
    bench.board.faults["after write"] = lambda: bench.board.switches.update(door="closed")
    rolled = bench.runner.roll_back(name, OMAR)
    assert rolled.status is S.ROLLBACK_FAILED
    assert "door is closed, not open" in str(rolled.error)


def test_what_is_protected_by_now_is_not_put_back_by_itself(bench: Bench) -> None:
    name = approved(bench)
    ran = bench.runner.run(name)
    running = put(bench, replace(ran, status=S.RUNNING))
    guarded = replace(
        bench.runner.planner, policy=replace(POLICY, protection=Protection(resources=("board/*",)))
    )
    runner = replace(bench.runner, planner=guarded)
    steps = guarded.stored_steps(running.playbook, running.finding)
    failed = runner._put_back(running, steps, "The gate is stuck.")
    assert failed.status is S.FAILED
    assert "The gate is stuck. What had been done was not put back by itself: " in str(failed.error)
    assert "protected" in str(failed.error)
    assert bench.board.switches == {"door": "closed"}


def test_the_clouds_own_ids_of_what_was_done_are_on_the_trail(bench: Bench) -> None:
    name = approved(bench)
    bench.runner.run(name)
    bench.runner.roll_back(name, OMAR)
    assert isinstance(bench.store, MemoryExecutions)
    told = {
        event["kind"]: event["detail"].get("request_ids")
        for event in map(orjson.loads, (each.body for each in bench.store.trail))
    }
    assert told["action.completed"] == told["rollback.action.completed"] == ["req-1"]


def test_of_broken_glass_the_thread_and_the_channel_hear() -> None:
    stores = MemoryStores()
    glass = BreakGlass(people=frozenset({"U0ANA"}), channel="C0ALARM")
    policy = replace(POLICY, break_glass=glass)
    bench = Bench(stores.executions, policy)
    broken = bench.remediation.break_glass(ask(bench).execution_id, ANA, reason="customers are down")
    herald = Herald(
        store=stores.executions,
        exceptions=stores.exceptions,
        notices=stores.notices,
        policy=policy,
        attention=Attention(),
    )
    name = broken.execution_id
    assert set(herald.due(bench.now)) == {f"glass:{name}:1-thread", f"glass:{name}:1-channel"}
    bench.pass_time(hours=24)
    assert f"overdue:{name}:1-0" in herald.due(bench.now)


TWO = replace(POLICY, rollback_approvals=2)


def signed_by_two(bench: Bench) -> str:
    """Let two people sign a rollback that could not run at that moment."""
    name = approved(bench)
    bench.runner.run(name)
    rollbacks = Rollbacks(bench.remediation, bench.runner)
    rollbacks.ask(name, OMAR)
    with bench.runner.in_hand.taking(name), pytest.raises(RefusedError, match="worked on"):
        rollbacks.ask(name, PRIYA)
    return name


def test_a_signed_rollback_does_not_run_from_another_state() -> None:
    """Right before the first write, whatever was looked at before: here the door was opened meanwhile."""
    bench = Bench(MemoryExecutions(), TWO)
    name = signed_by_two(bench)
    bench.board.switches["door"] = "open"
    with pytest.raises(RefusedError, match="changed since this rollback was asked for"):
        bench.runner.roll_back(name, PRIYA)
    assert bench.store.get(name).status is S.COMPLETED


def test_a_rollback_is_signed_under_the_rules_in_force() -> None:
    bench = Bench(MemoryExecutions(), TWO)
    name = signed_by_two(bench)
    other = Bench(bench.store, replace(TWO, required_approvals=2), bench.board)
    with pytest.raises(RefusedError, match="the rules changed"):
        other.runner.roll_back(name, PRIYA)
    stored = bench.store.get(name)
    assert stored.rollback is not None
    digests = {
        rollback_digest(policy, stored, stored.rollback.settings, asked_version=stored.rollback.asked_version)
        for policy in (TWO, replace(TWO, required_approvals=2))
    }
    assert len(digests) == 2
    assert bench.board.switches == {"door": "closed"}
