"""A rollback that more than one person has to sign."""

from dataclasses import replace

import pytest

from audit.actor import Actor
from audit.errors import RefusedError
from remediation.execution import PlaybookExecution, Restored
from remediation.memory import MemoryExecutions
from remediation.rollbacks import Rollbacks
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, Bench, door_finding, door_playbook

TWO = replace(POLICY, rollback_approvals=2)


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions(), TWO)


def fixed(bench: Bench) -> PlaybookExecution:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    return bench.runner.run(asked.execution_id)


def rollbacks(bench: Bench) -> Rollbacks:
    return Rollbacks(bench.remediation, bench.runner)


def test_the_first_asks_and_the_second_runs_it(bench: Bench) -> None:
    name = fixed(bench).execution_id
    asked = rollbacks(bench).ask(name, OMAR)
    assert asked.status is PlaybookStatus.COMPLETED
    assert asked.rollback is not None
    assert asked.rollback.settings == (
        Restored(resource="board/door", setting="door", was="open", we_set="closed", now="closed"),
    )
    assert bench.board.switches == {"door": "closed"}
    with pytest.raises(RefusedError, match="somebody else has to be the next"):
        rollbacks(bench).ask(name, OMAR)
    with pytest.raises(RefusedError, match="not among the approvers"):
        rollbacks(bench).ask(name, OTTO)
    rolled = rollbacks(bench).ask(name, PRIYA)
    assert (rolled.status, rolled.rollback) == (PlaybookStatus.ROLLED_BACK, None)
    assert bench.board.switches == {"door": "open"}


def test_one_is_enough_where_the_policy_says_nothing() -> None:
    bench = Bench(MemoryExecutions())
    assert rollbacks(bench).ask(fixed(bench).execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_no_way_around_it(bench: Bench) -> None:
    name = fixed(bench).execution_id
    with pytest.raises(RefusedError, match="another person's signature"):
        bench.runner.roll_back(name, OMAR)
    rollbacks(bench).ask(name, OMAR)
    with pytest.raises(RefusedError, match="another person's signature"):
        bench.runner.roll_back(name, OMAR)
    assert bench.board.switches == {"door": "closed"}


def test_what_changed_since_it_was_asked_for_voids_it_and_shows_the_three_states(bench: Bench) -> None:
    name = fixed(bench).execution_id
    rollbacks(bench).ask(name, OMAR)
    bench.board.switches["door"] = "ajar"
    with pytest.raises(RefusedError, match="was open, we set closed, now ajar.*signatures are void"):
        rollbacks(bench).ask(name, PRIYA)
    assert bench.store.get(name).rollback is None
    with pytest.raises(RefusedError, match="was open, we set closed, now ajar"):
        rollbacks(bench).ask(name, PRIYA)
    assert bench.board.switches == {"door": "ajar"}


def test_an_approver_refuses_it_and_whoever_asked_withdraws(bench: Bench) -> None:
    name = fixed(bench).execution_id
    for person in (PRIYA, OMAR):
        rollbacks(bench).ask(name, OMAR)
        with pytest.raises(RefusedError, match="not among the approvers"):
            rollbacks(bench).refuse(name, OTTO)
        assert rollbacks(bench).refuse(name, person).rollback is None
    with pytest.raises(RefusedError, match="No rollback waits"):
        rollbacks(bench).refuse(name, PRIYA)


def test_it_expires(bench: Bench) -> None:
    name = fixed(bench).execution_id
    asked = rollbacks(bench).ask(name, OMAR)
    bench.pass_time(hours=23)
    assert rollbacks(bench).expire(asked).rollback is not None
    bench.pass_time(hours=2)
    assert bench.store.ran_out(bench.now, since=bench.now) == [asked]
    again = rollbacks(bench).ask(name, PRIYA)
    assert again.status is PlaybookStatus.COMPLETED, "an old signature does not count towards a new request"
    bench.pass_time(hours=25)
    assert rollbacks(bench).expire(again).rollback is None


def test_a_program_that_asks_again_finds_out_that_the_resource_changed(bench: Bench) -> None:
    name, program = fixed(bench).execution_id, Actor(origin="api")
    assert rollbacks(bench).request(name, program).rollback is not None
    bench.board.switches["door"] = "ajar"
    with pytest.raises(RefusedError, match="signatures are void"):
        rollbacks(bench).request(name, program)
    assert bench.store.get(name).rollback is None


def test_a_later_fix_in_the_way_is_named_before_anybody_orders_anything(bench: Bench) -> None:
    name = fixed(bench).execution_id
    bench.board.switches["door"] = "open"
    bench.pass_time(minutes=1)
    later = fixed(bench)
    assert later.execution_id != name
    with pytest.raises(RefusedError, match=f"A later fix, {later.execution_id}"):
        rollbacks(bench).preview(name)
    assert rollbacks(bench).preview(later.execution_id)[0].was == "open"


def test_what_was_signed_and_could_not_run_in_time_does_not_run(bench: Bench) -> None:
    asked = rollbacks(bench).ask(fixed(bench).execution_id, OMAR)
    signed = rollbacks(bench)._sign(asked, PRIYA)
    bench.pass_time(hours=25)
    with pytest.raises(RefusedError, match="another person's signature"):
        bench.runner.roll_back(signed.execution_id, PRIYA)
    assert bench.board.switches == {"door": "closed"}
