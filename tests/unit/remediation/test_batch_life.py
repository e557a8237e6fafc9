"""Batches over time: who is reminded, what is taken over, and that no old set is ever approved."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import RefusedError
from audit.findings import Finding, Severity
from remediation.attention import Attention, Herald, Notice
from remediation.execution import PlaybookExecution
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from tests.examples import share
from tests.fakes.switches import OMAR, POLICY, PRIYA
from tests.unit.remediation.hall import Hall, a_door, doors


def heralds(hall: Hall, before: timedelta | None) -> Herald:
    return Herald(
        store=hall.stores.executions,
        exceptions=hall.stores.exceptions,
        notices=hall.stores.notices,
        policy=hall.policy,
        attention=Attention(remind_before=before, escalate_to=("C0ESCALATION",)),
    )


URGENT = Rule(
    severities=frozenset({Severity.CRITICAL}),
    approvers=frozenset({"U0PRIYA"}),
    expires_after=timedelta(hours=3),
)


def ask_one_after_the_other(*findings: Finding, rule: Rule) -> Hall:
    """Ask for a batch whose items were planned a second apart, as they are where clouds take their time."""
    hall = Hall(policy=replace(POLICY, rules=(rule,)))
    hall.ask(list(findings))
    for number, each in enumerate(hall.members().executions):
        later = timedelta(seconds=number)
        hall.stores.executions.by_id[each.execution_id] = replace(
            each, created_at=each.created_at + later, expires_at=each.expires_at + later
        )
    return hall


def told_of(hall: Hall, before: timedelta | None = None) -> list[str]:
    """Return which items' resources are to be told of now; what is found is told."""
    found = []
    for notice_id in heralds(hall, before).due(hall.bench.now):
        notice = Notice.parse(notice_id)
        hall.stores.notices.begin(notice_id, hall.bench.now)
        hall.stores.notices.told(notice_id)
        found.append(hall.stores.executions.get(notice.about).finding.resource)
    return sorted(found)


def test_a_reminder_goes_to_the_approvers_of_each_rule() -> None:
    rule = replace(URGENT, expires_after=None)
    hall = ask_one_after_the_other(a_door(1), a_door(2), a_door(3, severity=Severity.CRITICAL), rule=rule)
    hall.bench.pass_time(hours=23)
    assert told_of(hall, timedelta(hours=2)) == ["door-1", "door-3"]
    assert told_of(hall, timedelta(hours=2)) == []


def test_who_is_not_reminded_keeps_nobody_from_being_reminded() -> None:
    """The first item's time is too short for reminders: that of the second is not."""
    hall = ask_one_after_the_other(a_door(1, severity=Severity.CRITICAL), a_door(2), rule=URGENT)
    hall.bench.pass_time(minutes=30)
    assert told_of(hall, timedelta(hours=23, minutes=45)) == ["door-2"]


def test_an_escalation_comes_when_each_rules_time_is_over() -> None:
    doors_in_order = (a_door(1, severity=Severity.CRITICAL), a_door(2), a_door(3))
    hall = ask_one_after_the_other(*doors_in_order, rule=URGENT)
    hall.bench.pass_time(hours=4)
    hall.remediation.expire(hall.members().executions[0])
    assert told_of(hall) == ["door-1"]
    hall.bench.pass_time(hours=21)
    for execution in hall.members().waiting:
        hall.remediation.expire(execution)
    assert told_of(hall) == ["door-2"]


class Killed(BaseException):
    """Ends everything at once, as a signal nobody catches."""


@pytest.mark.parametrize("moment", ["before write", "after write"])
def test_an_item_whose_process_died_is_taken_over_and_written_once(hall: Hall, moment: str) -> None:
    hall.ask(doors(3))
    hall.approve(OMAR)
    first, second, _ = (each.execution_id for each in hall.members().executions)
    hall.bench.runner.run(first)

    def die() -> None:
        raise Killed

    hall.board.faults[moment] = die
    with pytest.raises(Killed):
        hall.bench.runner.run(second)
    hall.board.faults.clear()
    assert hall.statuses() == ["COMPLETED", "RUNNING", "APPROVED"]
    assert hall.members().is_busy
    hall.bench.pass_time(minutes=3)
    runner = Hall(stores=hall.stores).bench.runner
    heir = replace(runner, planner=hall.bench.runner.planner, journal=replace(runner.journal, owner="heir"))
    for execution in hall.stores.executions.unfinished("heir", hall.bench.now):
        heir.recover(execution.execution_id)
    for execution in hall.stores.executions.glimpses(PlaybookStatus.APPROVED):
        heir.run(execution.execution_id)
    assert hall.statuses() == ["COMPLETED"] * 3
    assert hall.members().is_over
    assert hall.board.calls.count("after write") == 3
    assert hall.kinds().count("execution.approved") == 3
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK"] * 3


def a_move(hall: Hall, name: str, number: int) -> None:
    """Change something about one item behind the back of whoever looks at the card."""
    execution: PlaybookExecution = hall.members().executions[number % 4]
    if name == "reject":
        hall.remediation.reject(execution.execution_id, OMAR, reason="no")
    elif name == "approve":
        hall.remediation.approve(execution.execution_id, OMAR)
    elif name == "run":
        hall.bench.runner.run(execution.execution_id)
    elif name == "meddle":
        hall.board.switches[execution.finding.resource] = f"ajar-{number}"


@settings(max_examples=share(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["reject", "approve", "run", "meddle"]), st.integers(0, 7)), max_size=8
    )
)
def test_a_set_seen_before_is_approved_only_if_it_still_is_that_set(moves: list[tuple[str, int]]) -> None:
    hall = Hall()
    hall.ask(doors(4))
    seen = hall.seen()
    before = [(each.execution_id, each.revision) for each in hall.members().waiting]
    for name, number in moves:
        try:
            a_move(hall, name, number)
        except RefusedError:
            continue
    now = hall.members()
    still = [(each.execution_id, each.revision) for each in now.waiting] == before
    try:
        decided = hall.decisions.approve("b-1", PRIYA, set_seen=seen)
    except RefusedError:
        assert not still
        assert hall.members() == now
    else:
        assert still
        assert [(each.execution_id, each.revision) for each in decided] == before
        assert hall.statuses() == ["APPROVED"] * 4
