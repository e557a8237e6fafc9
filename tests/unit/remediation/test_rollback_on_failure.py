"""A playbook may say that a run which fails is put back by itself: last step first, and only what it wrote."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson
import pytest

from audit.actor import POLICY
from audit.errors import Cause, PermanentActionError, RefusedError
from remediation.execution import PlaybookExecution
from remediation.journal import InHand
from remediation.memory import MemoryExecutions
from remediation.ports import OWNER_LOST_AFTER
from remediation.rollbacks import Rollbacks
from remediation.states import LIVE, ActionStatus, PlaybookStatus
from tests.fakes import switches
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA, Bench, door_finding, door_playbook
from tests.unit.remediation.power import PowerCutError


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


@dataclass
class Moments:
    """Does something at each journal write and cloud call of an execution, from its start until all is back."""

    bench: Bench
    do: Callable[[int], None]
    seen: list[PlaybookStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bench.runner = replace(
            self.bench.runner, journal=replace(self.bench.runner.journal, notifier=self)
        )
        planted = self.bench.board.faults.pop("before write")

        def before_write() -> None:
            self.at()
            planted()

        self.bench.board.faults.update(
            {"read": self.at, "before write": before_write, "after write": self.at}
        )

    def changed(self, execution_id: str) -> None:
        self.at()

    def at(self) -> None:
        """Do it; a state in between that nobody has in hand would be one of the moments."""
        for each in self.bench.store.history(limit=1):
            if each.status not in {
                PlaybookStatus.PENDING,
                PlaybookStatus.APPROVED,
                PlaybookStatus.ROLLED_BACK,
            }:
                self.seen.append(each.status)
                self.do(len(self.seen))


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
    assert "What had been done was not put back by itself: Somebody changed board/door since" in str(
        ran.error
    )


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


def test_where_a_rollback_takes_two_people_it_waits_for_them(bench: Bench) -> None:
    bench.policy = replace(switches.POLICY, rollback_approvals=2)
    bench.__post_init__()
    fail_at_write(bench, 3)
    ran = run(bench)
    assert ran.status is PlaybookStatus.FAILED
    assert str(ran.error).endswith(
        "not put back by itself: This rollback needs another person's signature first. Ask for it on the card."
    )
    assert bench.board.switches == {"door": "closed", "gate": "closed", "hatch": "open"}
    assert [decision.actor for decision in ran.decisions] == [OMAR]
    rollbacks = Rollbacks(bench.remediation, bench.runner)
    rollbacks.ask(ran.execution_id, OMAR)
    assert rollbacks.ask(ran.execution_id, PRIYA).status is PlaybookStatus.ROLLED_BACK
    assert set(bench.board.switches.values()) == {"open"}


def test_that_it_failed_and_why_is_on_the_trail(bench: Bench) -> None:
    fail_at_write(bench, 3)
    run(bench)
    assert isinstance(bench.store, MemoryExecutions)
    told = {event["kind"]: event for event in map(orjson.loads, (each.body for each in bench.store.trail))}
    begun = told["rollback.started"]
    assert begun["actor"]["origin"] == "policy"
    assert begun["detail"]["error"] == told["action.failed"]["detail"]["error"]
    assert [each["setting"] for each in begun["detail"]["settings"]] == ["door", "gate", "hatch"]


def count_moments() -> int:
    bench = Bench(MemoryExecutions())
    bench.board.switches = {"door": "open", "gate": "open", "hatch": "open"}
    fail_at_write(bench, 3)
    moments = Moments(bench, lambda _number: None)
    assert run(bench).status is PlaybookStatus.ROLLED_BACK
    assert set(moments.seen) >= LIVE
    return len(moments.seen)


@pytest.mark.parametrize("number", range(1, count_moments() + 1))
def test_killed_at_any_moment_it_comes_to_an_end_that_says_how_to_go_on(bench: Bench, number: int) -> None:
    fail_at_write(bench, 3)

    def kill(at: int) -> None:
        if at == number:
            bench.board.faults.clear()
            raise PowerCutError

    Moments(bench, kill)
    with pytest.raises(PowerCutError):
        run(bench)
    bench.now += OWNER_LOST_AFTER
    (left,) = bench.store.unfinished("boot-other", bench.now)
    journal = replace(bench.runner.journal, owner="boot-other")
    other = replace(bench.runner, journal=journal, in_hand=InHand())
    settled = other.recover(left.execution_id)
    if settled.can_roll_back:
        assert settled.status in {
            PlaybookStatus.FAILED,
            PlaybookStatus.ROLLBACK_FAILED,
            PlaybookStatus.COMPLETED,
        }
        assert settled.status is PlaybookStatus.COMPLETED or "oll back" in str(settled.error)
        assert other.roll_back(settled.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert set(bench.board.switches.values()) == {"open"}


def test_who_asks_again_at_any_moment_takes_its_place_from_nobody(bench: Bench) -> None:
    fail_at_write(bench, 3)
    book = door_playbook(names=("door", "gate", "hatch"))

    def ask(_number: int) -> None:
        planted, bench.board.faults = bench.board.faults, {}
        asked.add(bench.remediation.request(book, door_finding(), OTTO).execution_id)
        bench.board.faults = planted

    asked: set[str] = set()
    Moments(bench, ask)
    ran = run(bench)
    assert ran.status is PlaybookStatus.ROLLED_BACK
    assert asked == {ran.execution_id}
    assert set(bench.board.switches.values()) == {"open"}
