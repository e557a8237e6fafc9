"""A rollback of a batch whose process died goes on by itself: only what was ordered, under every rule, each item once."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

import pytest

from audit.errors import RefusedError, TrailError
from remediation.batch_rollbacks import BatchRollback
from remediation.states import PlaybookStatus
from tests.fakes.switches import OMAR, OTTO, POLICY, PRIYA
from tests.unit.remediation.hall import Hall, doors


class Killed(BaseException):
    """Ends everything at once, as a signal nobody catches."""


def fixed(hall: Hall, count: int = 3) -> Hall:
    hall.ask(doors(count))
    hall.approve(OMAR)
    hall.run()
    assert hall.statuses() == ["COMPLETED"] * count
    hall.board.calls.clear()
    return hall


def dying(nth: int) -> Callable[[], None]:
    """Return a fault that kills at the nth call and at every one after it."""
    left, one_at_a_time = [nth - 1], Lock()

    def die() -> None:
        with one_at_a_time:
            if not left[0]:
                raise Killed
            left[0] -= 1

    return die


def kill(hall: Hall, moment: str, nth: int = 1) -> None:
    """Order the rollback of all, and die in the middle."""
    hall.board.faults[moment] = dying(nth)
    with pytest.raises(Killed):
        hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    hall.board.faults.clear()


def heir(hall: Hall, *, minutes: int = 3) -> Hall:
    """Return another process on the same state, once the first is known to be dead: it settles what it finds, as its sweep does."""
    hall.bench.pass_time(minutes=minutes)
    other = Hall(policy=hall.policy, stores=hall.stores)
    other.bench.now = hall.bench.now
    other.bench.people.people = hall.bench.people.people
    other.board.switches = hall.board.switches
    runner = other.bench.runner
    runner = replace(runner, journal=replace(runner.journal, owner="heir"))
    other.rollbacks = replace(other.rollbacks, runner=runner)
    for execution in hall.stores.executions.unfinished("heir", other.bench.now):
        runner.recover(execution.execution_id)
    return other


def go_on(hall: Hall) -> BatchRollback | None:
    (batch_id,) = hall.stores.returns.left("heir", hall.bench.now)
    return hall.rollbacks.go_on(batch_id)


@pytest.mark.parametrize("moment", ["read", "before write", "after write"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_it_goes_on_by_itself_and_writes_each_item_once(hall: Hall, moment: str, nth: int) -> None:
    fixed(hall)
    kill(hall, moment, nth)
    other = heir(hall)
    go_on(other)
    assert hall.statuses() == ["ROLLED_BACK"] * 3
    assert [hall.board.switches[f"door-{n}"] for n in (1, 2, 3)] == ["open"] * 3
    landed = hall.board.calls.count("after write") + other.board.calls.count("after write")
    assert landed == 3
    assert hall.stores.returns.get("b-1") is None
    assert hall.kinds()[-1] == "batch.rollback_done"
    assert "batch.rollback_resumed" in hall.kinds()


def test_what_somebody_changed_meanwhile_stays_and_is_named(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    hall.board.switches["door-2"] = "bricked up"
    came = go_on(heir(hall))
    assert came is not None
    second = hall.members().executions[1]
    assert "bricked up" in came.refused[second.execution_id]
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "ROLLED_BACK"]
    assert hall.board.switches["door-2"] == "bricked up"
    assert "bricked up" in hall.members().batch.refused[second.execution_id]


def test_one_that_nobody_can_tell_about_is_left_to_a_person(hall: Hall) -> None:
    fixed(hall, 1)
    kill(hall, "before write")
    hall.board.switches["door-1"] = "ajar"
    came = go_on(heir(hall))
    (item,) = hall.members().executions
    assert item.status is PlaybookStatus.ROLLBACK_FAILED
    assert item.error is not None
    assert "interrupted" in item.error
    assert came is not None
    assert "ajar" in came.refused[item.execution_id]
    assert hall.board.switches["door-1"] == "ajar"
    assert hall.members().returnable == (item,), "its card still has a way on"


def test_while_the_process_lives_nobody_else_goes_on(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    hall.stores.executions.beat("boot-test", hall.bench.now)
    other = heir(hall, minutes=1)
    assert hall.stores.returns.left("heir", other.bench.now) == []
    assert other.rollbacks.go_on("b-1") is None
    assert hall.statuses() == ["COMPLETED"] * 3


def test_no_clock_on_a_wall_makes_anybody_go_on(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    hall.stores.executions.beat("boot-test", hall.bench.now)
    other = heir(hall)
    assert hall.stores.returns.left("heir", other.bench.now) == ["b-1"]
    assert other.rollbacks.go_on("b-1") is None, "it has not listened for long enough"
    assert hall.statuses() == ["COMPLETED"] * 3


def test_an_item_that_is_not_settled_is_waited_for(hall: Hall) -> None:
    fixed(hall)
    hall.board.faults["after write"] = dying(1)
    with pytest.raises(Killed):
        hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    hall.board.faults.clear()
    under_way = [each for each in hall.members().executions if each.status is PlaybookStatus.ROLLING_BACK]
    other = Hall(stores=hall.stores)
    other.bench.pass_time(minutes=3)
    assert under_way
    assert other.rollbacks.go_on("b-1") is None
    assert hall.stores.returns.get("b-1") is not None


def test_whoever_may_no_longer_put_anything_back_does_not(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    person = hall.bench.people.people[PRIYA.slack_id]
    hall.bench.people.people[PRIYA.slack_id] = replace(person, groups=frozenset())
    came = go_on(heir(hall))
    assert came is not None
    assert len(came.refused) == 3
    assert hall.statuses() == ["COMPLETED"] * 3
    assert hall.stores.returns.get("b-1") is None


def test_an_order_has_its_time(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    came = go_on(heir(hall, minutes=25 * 60))
    assert came is not None
    assert all("time of that order is over" in why for why in came.refused.values())
    assert hall.statuses() == ["COMPLETED"] * 3


def test_one_that_ends_every_process_is_given_up(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    order = hall.stores.returns.get("b-1")
    assert order is not None
    hall.stores.returns.by_batch["b-1"] = replace(order, takeovers=3)  # type: ignore[union-attr]
    came = go_on(heir(hall))
    assert came is not None
    assert all("interrupted 4 times" in why for why in came.refused.values())
    assert hall.statuses() == ["COMPLETED"] * 3


def test_what_failed_before_is_not_tried_again_by_itself(hall: Hall) -> None:
    fixed(hall, 1)
    kill(hall, "read")
    (item,) = hall.members().executions
    hall.stores.executions.by_id[item.execution_id] = replace(  # type: ignore[union-attr]
        item, status=PlaybookStatus.ROLLBACK_FAILED, error="The cloud said no"
    )
    came = go_on(heir(hall))
    assert came is not None
    assert came.broken == {item.execution_id: "The cloud said no"}
    assert hall.board.switches["door-1"] == "closed"


def test_a_first_signature_that_was_cut_off_is_given_to_the_others_too() -> None:
    hall = fixed(Hall(policy=replace(POLICY, rollback_approvals=2)))
    kill(hall, "read", 2)
    other = heir(hall)
    came = go_on(other)
    assert came is not None
    assert len(came.done) == 3
    assert all(each.rollback for each in hall.members().executions)
    assert hall.kinds().count("rollback.requested") == 3
    assert hall.statuses() == ["COMPLETED"] * 3
    other.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK"] * 3


# What was begun has used its signatures up: found undone, it is a person's to ask for again. What was not begun goes on.
GOES_ON = {"COMPLETED": "ROLLED_BACK", "ROLLED_BACK": "ROLLED_BACK", "ROLLING_BACK": "ROLLBACK_FAILED"}


@pytest.mark.parametrize(
    ("moment", "nth"), [("read", 1), ("before write", 1), ("before write", 2), ("before write", 3)]
)
def test_a_second_signature_that_was_cut_off_goes_on(moment: str, nth: int) -> None:
    hall = fixed(Hall(policy=replace(POLICY, rollback_approvals=2)))
    hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    kill(hall, moment, nth)
    begun = hall.statuses()
    assert begun.count("ROLLED_BACK") == nth - 1
    assert ("ROLLING_BACK" in begun) is (moment != "read")
    came = go_on(heir(hall))
    assert came is not None
    assert hall.statuses() == [GOES_ON[status] for status in begun]
    failed = [each for each in hall.members().executions if each.status is PlaybookStatus.ROLLBACK_FAILED]
    assert set(came.refused) == {each.execution_id for each in failed}
    assert [hall.board.switches[f"door-{n}"] for n in (1, 2, 3)] == [
        "open" if status == "ROLLED_BACK" else "closed" for status in hall.statuses()
    ]
    assert hall.stores.returns.get("b-1") is None


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_second_signature_that_was_cut_off_after_the_write_is_found_done(nth: int) -> None:
    hall = fixed(Hall(policy=replace(POLICY, rollback_approvals=2)))
    hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    kill(hall, "after write", nth)
    other = heir(hall)
    go_on(other)
    assert hall.statuses() == ["ROLLED_BACK"] * 3
    # One that had not begun when the first process died is the other's to put back.
    written = [each.board.calls.count("before write") for each in (hall, other)]
    assert written[0] >= nth
    assert sum(written) == 3, "put back twice"


def test_what_used_its_signatures_up_takes_two_new_ones() -> None:
    hall = fixed(Hall(policy=replace(POLICY, rollback_approvals=2)))
    hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    kill(hall, "before write", 2)
    other = heir(hall)
    go_on(other)
    other.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses().count("ROLLBACK_FAILED") == 2, (
        "an old signature does not count towards a new request"
    )
    other.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK"] * 3


def test_another_rollback_of_the_batch_waits_until_it_is_over(hall: Hall) -> None:
    fixed(hall)
    kill(hall, "read")
    with pytest.raises(RefusedError, match="under way"):
        hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    go_on(heir(hall))
    assert hall.statuses() == ["ROLLED_BACK"] * 3


def test_what_could_not_be_noted_is_noted_later_and_nothing_is_done_twice(hall: Hall) -> None:
    fixed(hall)
    end = hall.stores.returns.end
    returns = hall.stores.returns

    class Forgetful:
        put, get, left, take_over = returns.put, returns.get, returns.left, returns.take_over

        def end(self, *_: object) -> None:
            raise TrailError("the trail cannot be written")

    came = replace(hall.rollbacks, returns=Forgetful()).ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert len(came.done) == 3
    assert returns.get("b-1") is not None
    assert hall.rollbacks.go_on("b-1") is not None
    assert end == returns.end
    assert returns.get("b-1") is None
    assert hall.board.calls.count("after write") == 3


def test_an_outsider_orders_nothing(hall: Hall) -> None:
    fixed(hall)
    with pytest.raises(RefusedError, match="not among"):
        hall.rollbacks.ask("b-1", OTTO, set_seen=hall.seen_back())
    assert hall.stores.returns.get("b-1") is None
