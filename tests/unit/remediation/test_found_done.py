"""What looks as planned is verified all the same, whatever was in between, and ends as it would have ended with nothing in between."""

from dataclasses import replace

import pytest

from audit.errors import Cause, PermanentActionError, TemporaryActionError
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.plan import ActionPlan
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, Bench, Switch, Switchboard, door_finding, door_playbook
from tests.unit.remediation.power import PowerCutError, cut_power, run_until_cut

CANNOT = "The lamp cannot deliver"


class Lamp(Switch):
    """A switch that may be on and give no light, as a flow log may be there and deliver nothing."""

    action_type = "lamp"
    key = "lamp"

    def verify(self, plan: ActionPlan) -> None:
        super().verify(plan)
        if self.board.switches["bulb"] == "broken":
            raise PermanentActionError(CANNOT, cause=Cause.NOT_VERIFIED)

    def verify_rollback(self, plan: ActionPlan) -> None:
        super().verify_rollback(plan)
        if self.board.switches["socket"] == "hot":
            raise PermanentActionError("The lamp is still warm", cause=Cause.NOT_VERIFIED)


@pytest.fixture(params=["whole", "broken"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return bench_with(request.param)


def bench_with(bulb: str) -> Bench:
    board = Switchboard({"door": "open", "lamp": "off", "gate": "open", "bulb": bulb, "socket": "cold"})
    return Bench(MemoryExecutions(), board=board, others=(Lamp(board),))


def ask(bench: Bench, *, put_back: bool = False) -> str:
    book = door_playbook()
    book.add_action("light_lamp", "lamp", {"name": "lamp", "to": "on"})
    book.add_action("close_gate", "switch", {"name": "gate", "to": "closed"})
    book.rollback_on_failure = put_back
    asked = bench.remediation.request(book, door_finding(), ANA)
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def outcome(bench: Bench, ran: PlaybookExecution) -> object:
    """Return how it ended, without the words that say that there was an interruption."""
    messages = {each.message for each in ran.actions if each.status is ActionStatus.FAILED}
    return (
        ran.status,
        ran.error,
        [(each.status, each.error) for each in ran.actions],
        messages,
        bench.board.switches,
    )


@pytest.mark.parametrize("put_back", [False, True])
def test_a_run_ends_the_same_with_a_crash_after_the_write_and_without(bench: Bench, put_back: bool) -> None:
    undisturbed = bench_with(str(bench.board.switches["bulb"]))
    ran = undisturbed.runner.run(ask(undisturbed, put_back=put_back))
    execution_id = ask(bench, put_back=put_back)
    cut_power(bench, "after write", on=2)
    run_until_cut(bench, execution_id)
    assert outcome(bench, bench.runner.recover(execution_id)) == outcome(undisturbed, ran)


class Cut:
    """Somebody who is told of each commit, and at the n-th of whom the power goes."""

    def __init__(self, on: int) -> None:
        self._left = on

    def changed(self, execution_id: str) -> None:
        self._left -= 1
        if not self._left:
            raise PowerCutError


# Begun, the door begun and done, the lamp begun and done or failed.
@pytest.mark.parametrize("commit", range(1, 6))
@pytest.mark.parametrize("put_back", [False, True])
def test_and_with_a_crash_after_each_commit(bench: Bench, commit: int, put_back: bool) -> None:
    undisturbed = bench_with(str(bench.board.switches["bulb"]))
    ran = undisturbed.runner.run(ask(undisturbed, put_back=put_back))
    execution_id = ask(bench, put_back=put_back)
    journal = replace(bench.runner.journal, notifier=Cut(commit))
    with pytest.raises(PowerCutError):
        replace(bench.runner, journal=journal).run(execution_id)
    assert outcome(bench, bench.runner.recover(execution_id)) == outcome(undisturbed, ran)


def test_what_is_not_verified_fails_with_the_reason_and_nothing_comes_after_it() -> None:
    bench = bench_with("broken")
    execution_id = ask(bench)
    cut_power(bench, "after write", on=2)
    run_until_cut(bench, execution_id)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert settled.error == settled.actions[1].error
    assert CANNOT in str(settled.error)
    assert settled.actions[1].message == "Done, but not verified"
    assert bench.board.switches["gate"] == "open"
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert {bench.board.switches[name] for name in ("door", "lamp", "gate")} == {"open", "off"}


def test_after_a_lost_answer_too(bench: Bench) -> None:
    def lose() -> None:
        if bench.board.calls.count("after write") == 2:
            raise TemporaryActionError("no answer", cause=Cause.TIMED_OUT)

    bench.board.faults["after write"] = lose
    ran = bench.runner.run(ask(bench))
    if bench.board.switches["bulb"] == "whole":
        assert ran.status is PlaybookStatus.COMPLETED
        assert ran.actions[1].message == "The call failed (timed out), yet the resource is as planned"
    else:
        assert ran.status is PlaybookStatus.FAILED
        assert ran.actions[1].message == "Done, but not verified"
        assert CANNOT in str(ran.error)


def test_what_is_found_back_is_verified_as_well() -> None:
    bench = bench_with("whole")
    execution_id = ask(bench)
    bench.runner.run(execution_id)
    cut_power(bench, "after write", on=2)
    with pytest.raises(PowerCutError):
        bench.runner.roll_back(execution_id, OMAR)
    bench.board.faults.clear()
    bench.board.switches["socket"] = "hot"
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.ROLLBACK_FAILED
    assert "still warm" in str(settled.actions[1].error)
    bench.board.switches["socket"] = "cold"
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK


def test_where_the_playbook_can_no_longer_be_used_it_ends_with_an_account_of_what_was_done() -> None:
    bench = bench_with("broken")
    execution_id = ask(bench, put_back=True)
    with pytest.raises(PowerCutError):
        replace(bench.runner, journal=replace(bench.runner.journal, notifier=Cut(5))).run(execution_id)
    without_lamps = Bench(bench.store, board=bench.board)
    settled = without_lamps.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.FAILED
    assert "Done: close_door. Not done: light_lamp, close_gate" in str(settled.error)
    assert "can no longer be used" in str(settled.error)
