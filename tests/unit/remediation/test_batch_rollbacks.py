"""Putting a batch back: item by item, and an outcome for each."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from audit.errors import Cause, CountersignError, PermanentActionError, RefusedError, TrailError
from audit.findings import Severity
from remediation.batches import Members
from remediation.rollbacks import Rollbacks
from remediation.rules import Rule
from tests.fakes.batches import MemoryBatches
from tests.fakes.switches import OMAR, POLICY, PRIYA
from tests.unit.remediation.hall import Hall, a_door, doors


def fixed(hall: Hall, count: int = 3) -> None:
    hall.ask(doors(count))
    hall.approve(OMAR)
    hall.run()


def test_a_batch_goes_back_item_by_item(hall: Hall) -> None:
    fixed(hall)
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert len(said.done) == 3
    assert said.refused == {}
    assert hall.statuses() == ["ROLLED_BACK"] * 3
    assert {hall.board.switches[f"door-{n}"] for n in (1, 2, 3)} == {"open"}
    assert "batch.rollback" in hall.kinds()


def test_what_a_person_changed_since_stays_and_is_named(hall: Hall) -> None:
    fixed(hall)
    hall.board.switches["door-2"] = "bricked up"
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "ROLLED_BACK"]
    assert hall.board.switches["door-2"] == "bricked up"
    (name,) = said.refused
    assert name == hall.members().executions[1].execution_id
    assert "bricked up" in said.refused[name]
    assert hall.members().batch.refused == dict(said.refused)


def test_who_may_not_put_one_back_puts_none_back() -> None:
    rule = Rule(severities=frozenset({Severity.CRITICAL}), approvers=frozenset({"U0PRIYA"}))
    hall = Hall(policy=replace(POLICY, rules=(rule,)))
    hall.ask([a_door(1), a_door(2, severity=Severity.CRITICAL)])
    hall.approve(PRIYA)
    hall.run()
    with pytest.raises(RefusedError, match="door-2.*nothing was put back"):
        hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    assert hall.statuses() == ["COMPLETED"] * 2


def test_another_set_than_the_one_seen_is_not_put_back(hall: Hall) -> None:
    fixed(hall)
    seen = hall.seen_back()
    hall.bench.runner.roll_back(hall.members().executions[0].execution_id, PRIYA)
    with pytest.raises(RefusedError, match="changed since"):
        hall.rollbacks.ask("b-1", PRIYA, set_seen=seen)
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "COMPLETED"]
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    with pytest.raises(RefusedError, match="nothing to put back"):
        hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())


def test_where_the_rules_want_two_for_a_rollback_two_have_to_ask() -> None:
    hall = Hall(policy=replace(POLICY, rollback_approvals=2))
    fixed(hall, 2)
    first = hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    assert hall.statuses() == ["COMPLETED"] * 2
    assert first.refused == {}
    assert all(each.rollback for each in hall.members().executions)
    with pytest.raises(RefusedError, match="somebody else"):
        hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK"] * 2


def failing_once(error: Exception) -> Callable[[], None]:
    """Return a fault of one item alone, whichever is first."""
    errors = [error]

    def fail() -> None:
        if errors:
            raise errors.pop()

    return fail


@pytest.mark.parametrize(
    "error", [TrailError("cannot be written; nothing was changed"), CountersignError("the database is full")]
)
def test_what_breaks_one_item_leaves_the_others_and_is_told(hall: Hall, error: Exception) -> None:
    fixed(hall)
    hall.board.faults["before write"] = failing_once(error)
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert len(said.done) == 2
    assert sorted(hall.statuses()) == ["ROLLED_BACK", "ROLLED_BACK", "ROLLING_BACK"]
    ((name, why),) = said.broken.items()
    assert name not in said.done
    assert why in str(error)
    assert "nothing was changed" not in why
    assert name in hall.members().batch.refused


def test_an_item_whose_rollback_failed_did_not_go_back(hall: Hall) -> None:
    fixed(hall)
    hall.board.faults["before write"] = failing_once(PermanentActionError("jammed", cause=Cause.DENIED))
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert sorted(hall.statuses()) == ["ROLLBACK_FAILED", "ROLLED_BACK", "ROLLED_BACK"]
    assert len(said.done) == 2
    assert "jammed" in str(said.broken)


def test_who_may_not_refuse_one_rollback_refuses_none() -> None:
    rule = Rule(severities=frozenset({Severity.CRITICAL}), approvers=frozenset({"U0PRIYA"}))
    hall = Hall(policy=replace(POLICY, rollback_approvals=2, rules=(rule,)))
    hall.ask([a_door(1), a_door(2, severity=Severity.CRITICAL)])
    hall.approve(PRIYA)
    hall.run()
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    with pytest.raises(RefusedError, match="door-2.*no rollback of this batch was refused"):
        hall.rollbacks.refuse("b-1", OMAR, set_seen=hall.seen_back())
    assert all(each.rollback for each in hall.members().executions)


class Meddling(MemoryBatches):
    """Batches behind whose reader's back a sibling is put back."""

    meddle: Callable[[], object] = staticmethod(lambda: None)

    def members(self, batch_id: str) -> Members:
        members = super().members(batch_id)
        self.meddle()
        return members


def test_a_sibling_that_is_put_back_meanwhile_keeps_nobody_from_refusing_the_others() -> None:
    hall = Hall(policy=replace(POLICY, rollback_approvals=2))
    fixed(hall)
    hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    seen, (first, *others) = hall.seen_back(), hall.members().executions
    batches = Meddling(hall.stores.executions, hall.stores.exceptions)
    batches.by_id = hall.stores.batches.by_id
    batches.meddle = lambda: Rollbacks(hall.remediation, hall.bench.runner).ask(first.execution_id, PRIYA)
    said = replace(hall.rollbacks, batches=batches).refuse("b-1", PRIYA, set_seen=seen)
    assert set(said.done) == {each.execution_id for each in others}
    assert said.broken == {}
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "COMPLETED"]
    assert not any(each.rollback for each in hall.members().executions)
