"""An action of several writes: what proves to be ours in the middle is finished or put back, and nothing else is touched."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from audit.errors import Cause, PermanentActionError, RefusedError
from remediation.actions.contract import HalfWay
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.plan import ActionPlan, State
from remediation.protection import Protection
from remediation.resuming import MOST_TAKEOVERS
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, POLICY, Bench, Switch, Switchboard, door_finding, door_playbook

OURS, UNPROVEN, BACK = "half closed by us", "half closed by us, stuck", "half opened by us"


class PowerCutError(Exception):
    """The process ends here."""


class SlowDoor(Switch):
    """A door that is closed and opened in two writes, and that shows after the first who made it."""

    idempotent = True
    half_way: str = OURS

    def half_ways(self, plan: ActionPlan) -> tuple[HalfWay, ...]:
        return (HalfWay({"door": OURS}), HalfWay({"door": UNPROVEN}, why_not="It is stuck"))

    def half_ways_back(self, plan: ActionPlan) -> tuple[State, ...]:
        return ({"door": BACK},)

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        if self.board.read("door") == plan.before["door"]:
            self.board.write("door", self.half_way)
        return super().apply(plan)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        self.board.write("door", BACK)
        return super().rollback(plan)


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def make_bench(**changes: object) -> Bench:
    board = Switchboard()
    door = SlowDoor(board)
    return Bench(MemoryExecutions(), replace(POLICY, **changes), board, others=(door,))  # type: ignore[arg-type]


def approved(bench: Bench, *names: str, puts_back: bool = False) -> str:
    book = door_playbook(names=names or ("door",))
    book.rollback_on_failure = puts_back
    asked = bench.remediation.request(book, door_finding(), ANA)
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def cut(bench: Bench, call: str = "after write", error: Callable[[], Exception] = PowerCutError) -> None:
    """End the process, or the call, at the first of these calls."""

    def fault() -> None:
        bench.board.faults.clear()
        raise error()

    bench.board.faults[call] = fault


def left_half_way(bench: Bench, state: object = OURS, *, names: tuple[str, ...] = ()) -> str:
    name = approved(bench, *names)
    cut(bench)
    with pytest.raises(PowerCutError):
        bench.runner.run(name)
    assert bench.store.get(name).status is PlaybookStatus.RUNNING
    bench.board.switches["door"] = state
    return name


def kinds(bench: Bench) -> list[str]:
    assert isinstance(bench.store, MemoryExecutions)
    return [orjson.loads(entry.body)["kind"] for entry in bench.store.trail]


def check_put_back(bench: Bench, settled: PlaybookExecution, *, left: str = OURS) -> None:
    """Nothing was written; a person orders it put back, and all of it is."""
    assert settled.status is PlaybookStatus.FAILED
    assert settled.actions[0].observed == {"door": left}
    assert bench.board.switches == {"door": left}
    assert bench.runner.roll_back(settled.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}


def test_what_is_ours_is_finished_and_each_step_of_it_is_written_down_first(bench: Bench) -> None:
    name = left_half_way(bench)
    settled = bench.runner.recover(name)
    assert settled.status is PlaybookStatus.COMPLETED, settled.error
    assert bench.board.switches == {"door": "closed"}
    assert settled.actions[0].before == {"door": "open"}
    assert kinds(bench)[-4:] == [
        "execution.taken_over",
        "action.resumed",
        "action.completed",
        "execution.completed",
    ]
    assert bench.runner.roll_back(name, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}


def test_what_may_be_anybodys_is_left_to_a_person(bench: Bench) -> None:
    name = left_half_way(bench, "half closed by somebody")
    assert bench.runner.recover(name).status is PlaybookStatus.INTERRUPTED
    with pytest.raises(RefusedError, match="half closed by somebody"):
        bench.runner.roll_back(name, OMAR)
    assert bench.board.switches == {"door": "half closed by somebody"}


def test_what_cannot_be_gone_on_with_is_put_back(bench: Bench) -> None:
    settled = bench.runner.recover(left_half_way(bench, UNPROVEN))
    assert settled.actions[0].error is not None
    assert "does not go on: It is stuck. Roll it back" in settled.actions[0].error
    check_put_back(bench, settled, left=UNPROVEN)


def test_it_does_not_go_on_when_the_time_of_its_approval_is_over(bench: Bench) -> None:
    name = left_half_way(bench)
    bench.now += timedelta(hours=25)
    check_put_back(bench, bench.runner.recover(name))


def test_it_does_not_go_on_under_other_rules(bench: Bench) -> None:
    name = left_half_way(bench)
    other = Bench(
        bench.store, replace(POLICY, required_approvals=2), bench.board, others=(SlowDoor(bench.board),)
    )
    settled = other.runner.recover(name)
    assert "other rules" in str(settled.actions[0].error)
    check_put_back(bench, settled)


def test_it_does_not_go_on_for_ever(bench: Bench) -> None:
    name = left_half_way(bench)
    tired = replace(bench.store.get(name), takeovers=MOST_TAKEOVERS)
    assert isinstance(bench.store, MemoryExecutions)
    bench.store._executions[name] = tired
    check_put_back(bench, bench.runner.recover(name))


def test_it_does_not_go_on_where_a_tag_may_protect_it_by_now() -> None:
    bench = make_bench()
    name = left_half_way(bench)
    guarded = replace(POLICY, protection=Protection(tags=("keep",)))
    stored = bench.store.get(name)
    assert stored.plan is not None
    assert isinstance(bench.store, MemoryExecutions)
    # Signed under rules that protect by tag: nobody can read the tags in the middle.
    plan = replace(stored.plan, policy_digest=guarded.digest)
    signed = tuple(replace(each, plan_digest=plan.digest) for each in stored.decisions)
    bench.store._executions[name] = replace(stored, plan=plan, decisions=signed)
    other = Bench(bench.store, guarded, bench.board, others=(SlowDoor(bench.board),))
    settled = other.runner.recover(name)
    assert "tag" in str(settled.actions[0].error)
    check_put_back(bench, settled)


def test_what_may_not_be_done_twice_is_not_finished() -> None:
    bench = make_bench()
    name = left_half_way(bench)

    class Once(SlowDoor):
        idempotent = False

    other = Bench(bench.store, POLICY, bench.board, others=(Once(bench.board),))
    check_put_back(bench, other.runner.recover(name))


def test_a_process_that_dies_while_it_finishes_is_taken_over_as_well(bench: Bench) -> None:
    name = left_half_way(bench)
    cut(bench, "before write")
    with pytest.raises(PowerCutError):
        bench.runner.recover(name)
    assert bench.store.get(name).actions[0].status is ActionStatus.STARTED
    settled = bench.runner.recover(name)
    assert (settled.status, settled.takeovers) == (PlaybookStatus.COMPLETED, 2)


def test_a_call_that_fails_half_way_leaves_what_is_ours(bench: Bench) -> None:
    name = approved(bench)
    cut(bench, error=lambda: PermanentActionError("no", cause=Cause.DENIED))
    check_put_back(bench, bench.runner.run(name))


def test_a_call_that_fails_leaves_nothing_of_ours_where_somebody_else_was_there(bench: Bench) -> None:
    name = approved(bench)

    def fail() -> None:
        bench.board.faults.clear()
        bench.board.switches["door"] = "half closed by somebody"
        raise PermanentActionError("no", cause=Cause.DENIED)

    bench.board.faults["after write"] = fail
    assert bench.runner.run(name).actions[0].observed is None
    with pytest.raises(RefusedError, match="half closed by somebody"):
        bench.runner.roll_back(name, OMAR)


def test_a_half_way_is_not_put_back_by_itself(bench: Bench) -> None:
    name = approved(bench, puts_back=True)
    cut(bench, error=lambda: PermanentActionError("no", cause=Cause.DENIED))
    check_put_back(bench, bench.runner.run(name))


@pytest.mark.parametrize(("state", "is_ours"), [(BACK, True), ("half opened by somebody", False)])
def test_a_rollback_that_was_cut_goes_on_from_what_is_ours(
    bench: Bench, state: str, *, is_ours: bool
) -> None:
    name = approved(bench)
    bench.runner.run(name)
    cut(bench)
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(name, OMAR)
    bench.board.switches["door"] = state
    assert bench.runner.recover(name).status is PlaybookStatus.ROLLBACK_FAILED
    if is_ours:
        assert bench.runner.roll_back(name, OMAR).status is PlaybookStatus.ROLLED_BACK
        assert bench.board.switches == {"door": "open"}
        return
    with pytest.raises(RefusedError, match=state):
        bench.runner.roll_back(name, OMAR)
    assert bench.board.switches == {"door": state}


def test_a_rollback_whose_call_fails_half_way_goes_on_from_there(bench: Bench) -> None:
    name = approved(bench)
    bench.runner.run(name)
    cut(bench, error=lambda: PermanentActionError("no", cause=Cause.DENIED))
    failed = bench.runner.roll_back(name, OMAR)
    assert failed.status is PlaybookStatus.ROLLBACK_FAILED
    assert failed.actions[0].observed == {"door": BACK}
    assert bench.runner.roll_back(name, OMAR).status is PlaybookStatus.ROLLED_BACK
