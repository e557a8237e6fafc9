"""An interrupted execution is settled by an approver who looked, and by nobody else."""

from dataclasses import replace

import pytest

from audit.actor import Actor
from audit.errors import ActionError, Cause, PermanentActionError, RefusedError, StateError
from remediation.execution import PlaybookExecution, Verdict
from remediation.memory import MemoryExecutions
from remediation.settling import Settling
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import (
    ANA,
    OMAR,
    OTTO,
    POLICY,
    Bench,
    Switch,
    Switchboard,
    door_finding,
    door_playbook,
)


class PowerCutError(Exception):
    """The process ends here."""


class Once(Switch):
    """A switch that must not be set twice."""

    action_type = "once"
    key = "once"
    idempotent = False


@pytest.fixture
def bench() -> Bench:
    board = Switchboard({"door": "open", "gate": "open"})
    return Bench(MemoryExecutions(), board=board, others=(Once(board),))


def interrupted(bench: Bench, *names: str, action_type: str = "switch") -> PlaybookExecution:
    """Cut a run after its first write, with the resource in a state that tells nobody anything."""
    book = door_playbook(names=())
    for name in names or ("door",):
        book.add_action(f"close_{name}", action_type, {"name": name, "to": "closed"})
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)

    def cut() -> None:
        bench.board.switches["door"] = "half"
        raise PowerCutError

    bench.board.faults["after write"] = cut
    with pytest.raises(PowerCutError):
        bench.runner.run(asked.execution_id)
    bench.board.faults.clear()
    settled = bench.runner.recover(asked.execution_id)
    assert settled.status is PlaybookStatus.INTERRUPTED
    return settled


def settling(bench: Bench) -> Settling:
    return Settling(bench.remediation, bench.runner.journal)


def test_found_done_is_completed_and_can_be_put_back(bench: Bench) -> None:
    execution = interrupted(bench)
    bench.board.switches["door"] = "closed"
    settled = settling(bench).say_done(execution.execution_id, OMAR, revision=1)
    assert settled.status is PlaybookStatus.COMPLETED
    assert (settled.decisions[-1].verdict, settled.decisions[-1].actor) == (Verdict.DONE, OMAR)
    assert settled.plan is not None
    assert settled.decisions[-1].plan_digest == settled.plan.digest
    assert bench.runner.roll_back(execution.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches["door"] == "open"


def test_found_done_is_failed_where_more_was_to_be_done(bench: Bench) -> None:
    execution = interrupted(bench, "door", "gate")
    settled = settling(bench).say_done(execution.execution_id, OMAR, revision=1)
    assert settled.status is PlaybookStatus.FAILED
    assert str(settled.error).endswith("Not done: close_gate.")
    assert bench.board.switches["gate"] == "open"


def test_found_not_done_is_failed_and_can_still_be_put_back(bench: Bench) -> None:
    execution = interrupted(bench)
    settled = settling(bench).say_not_done(execution.execution_id, OMAR, revision=1)
    assert settled.status is PlaybookStatus.FAILED
    assert settled.actions[0].status is ActionStatus.FAILED
    assert settled.decisions[-1].verdict is Verdict.NOT_DONE
    with pytest.raises(RefusedError, match="was open, we set closed, now half"):
        bench.runner.roll_back(execution.execution_id, OMAR)
    bench.board.switches["door"] = "closed"
    bench.runner.roll_back(execution.execution_id, OMAR)
    assert bench.board.switches["door"] == "open"


def test_tried_again_once_the_resource_is_as_it_was(bench: Bench) -> None:
    execution = interrupted(bench, "door", "gate")
    bench.board.switches["door"] = "open"
    ran = bench.runner.try_again(execution.execution_id, OMAR)
    assert ran.status is PlaybookStatus.COMPLETED
    assert ran.decisions[-1].verdict is Verdict.TRY_AGAIN
    assert bench.board.switches == {"door": "closed", "gate": "closed"}


def test_not_tried_again_over_what_somebody_did(bench: Bench) -> None:
    execution = interrupted(bench)
    writes = bench.board.calls.count("before write")
    with pytest.raises(ActionError, match="half"):
        bench.runner.try_again(execution.execution_id, OMAR)
    assert bench.store.get(execution.execution_id) == execution
    assert bench.board.calls.count("before write") == writes


def test_not_tried_again_where_it_cannot_be_read(bench: Bench) -> None:
    execution = interrupted(bench)

    def denied() -> None:
        raise PermanentActionError("no", cause=Cause.DENIED)

    bench.board.faults["read"] = denied
    with pytest.raises(ActionError):
        bench.runner.try_again(execution.execution_id, OMAR)
    assert bench.store.get(execution.execution_id).status is PlaybookStatus.INTERRUPTED


def test_not_tried_again_where_twice_may_do_harm(bench: Bench) -> None:
    execution = interrupted(bench, action_type="once")
    bench.board.switches["door"] = "open"
    with pytest.raises(RefusedError, match="never taken up again"):
        bench.runner.try_again(execution.execution_id, OMAR)
    assert bench.board.switches["door"] == "open"


def test_not_tried_again_when_the_approval_is_out_of_time(bench: Bench) -> None:
    execution = interrupted(bench)
    bench.board.switches["door"] = "open"
    bench.now = execution.expires_at
    with pytest.raises(RefusedError, match="approval is over"):
        bench.runner.try_again(execution.execution_id, OMAR)


@pytest.mark.parametrize("person", [ANA, OTTO, Actor(workspace="T1", slack_id="U0NOBODY")])
@pytest.mark.parametrize("way", ["allow", "say_done", "say_not_done"])
def test_only_approvers_settle(bench: Bench, person: Actor, way: str) -> None:
    execution = interrupted(bench)
    with pytest.raises(RefusedError, match="approvers|who you are"):
        getattr(settling(bench), way)(execution.execution_id, person, revision=1)
    assert bench.store.get(execution.execution_id) == execution


def test_what_is_not_interrupted_is_not_settled(bench: Bench) -> None:
    execution = interrupted(bench)
    settling(bench).say_done(execution.execution_id, OMAR, revision=1)
    with pytest.raises(RefusedError, match="COMPLETED"):
        settling(bench).say_not_done(execution.execution_id, OMAR, revision=1)
    with pytest.raises(RefusedError, match="COMPLETED"):
        bench.runner.try_again(execution.execution_id, OMAR)


def test_an_old_card_settles_nothing(bench: Bench) -> None:
    execution = interrupted(bench)
    with pytest.raises(RefusedError, match="out of date"):
        settling(bench).say_done(execution.execution_id, OMAR, revision=2)


def test_one_of_two_who_settle_at_once_is_refused(bench: Bench) -> None:
    execution = interrupted(bench)
    both = settling(bench)
    both._settle(execution, OMAR, Verdict.DONE)
    with pytest.raises(StateError):
        both._settle(execution, OMAR, Verdict.NOT_DONE)


def test_rules_that_changed_meanwhile_hold(bench: Bench) -> None:
    execution = interrupted(bench)
    bench.board.switches["door"] = "open"
    other = Bench(bench.store, policy=replace(POLICY, required_approvals=2), board=bench.board)
    with pytest.raises(RefusedError, match="other rules"):
        other.runner.try_again(execution.execution_id, OMAR)
