"""Approving alone in an emergency: what it skips, and all that it does not."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.errors import InputError, RefusedError
from remediation.execution import PlaybookExecution, Verdict
from remediation.memory import MemoryExecutions
from remediation.policy import is_approved
from remediation.ports import Person
from remediation.protection import ChangeWindow, Freeze, Protection
from remediation.rules import BreakGlass
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, START, Bench, door_finding, door_playbook

GLASS = BreakGlass(people=frozenset({"U0ANA"}))
BREAKABLE = replace(POLICY, break_glass=GLASS, required_approvals=2)
UTC_ZONE = ZoneInfo("UTC")
SHUT = ChangeWindow(days=frozenset({"sun"}), start=time(1), end=time(2), zone=UTC_ZONE)


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions(), BREAKABLE)


def ask(bench: Bench) -> PlaybookExecution:
    return bench.remediation.request(door_playbook(), door_finding(), ANA)


def broken(bench: Bench) -> PlaybookExecution:
    return bench.remediation.break_glass(ask(bench).execution_id, ANA, reason="customers are down")


def test_a_named_person_approves_alone_what_they_asked_for(bench: Bench) -> None:
    execution = broken(bench)
    assert execution.status is PlaybookStatus.APPROVED
    assert execution.review_due_at == bench.now + timedelta(hours=24)
    assert bench.runner.run(execution.execution_id).status is PlaybookStatus.COMPLETED
    kinds = [entry.body for entry in bench.store.trail]  # type: ignore[attr-defined]
    assert any(b'"kind":"execution.break_glass"' in body and b"customers are down" in body for body in kinds)


def test_it_is_off_by_default() -> None:
    bench = Bench(MemoryExecutions())
    with pytest.raises(RefusedError, match="is not set"):
        broken(bench)


def test_nobody_else_may_not_even_an_approver(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="may not break the glass. Who may: @U0ANA"):
        bench.remediation.break_glass(ask(bench).execution_id, OMAR, reason="now")


def test_a_reason_is_needed(bench: Bench) -> None:
    with pytest.raises(InputError, match="reason"):
        bench.remediation.break_glass(ask(bench).execution_id, ANA, reason="  ")


@pytest.mark.parametrize("mark", ["is_guest", "is_bot", "is_deleted", "is_stranger"])
def test_guests_bots_deleted_and_strangers_stay_out(bench: Bench, mark: str) -> None:
    bench.people.people["U0ANA"] = Person(actor=ANA, **{mark: True})  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="Only full members"):
        broken(bench)


def test_a_directory_that_does_not_answer_keeps_the_gate_shut(bench: Bench) -> None:
    bench.people.broken = RefusedError("Slack's directory does not answer")
    with pytest.raises(RefusedError, match="does not answer"):
        broken(bench)


def test_drift_still_runs_nothing_and_voids_it(bench: Bench) -> None:
    execution = broken(bench)
    bench.board.switches["door"] = "ajar"
    anew = bench.runner.run(execution.execution_id)
    assert (anew.status, anew.revision) == (PlaybookStatus.PENDING, 2)
    assert not is_approved(BREAKABLE, anew)
    assert anew.unreviewed is not None, "it was broken all the same"


def test_it_opens_windows_and_no_freeze() -> None:
    windows = Bench(MemoryExecutions(), replace(BREAKABLE, protection=Protection(windows=(SHUT,))))
    with pytest.raises(RefusedError, match="Changes may run"):
        windows.remediation.approve(ask(windows).execution_id, OMAR)
    assert windows.runner.run(broken(windows).execution_id).status is PlaybookStatus.COMPLETED
    day = date(START.year, START.month, START.day)
    freeze = Freeze(first=day, last=day, zone=UTC_ZONE)
    frozen = Bench(MemoryExecutions(), replace(BREAKABLE, protection=Protection(freezes=(freeze,))))
    with pytest.raises(RefusedError, match="freezes"):
        broken(frozen)


def test_protected_resources_stay_protected() -> None:
    guarded = Bench(MemoryExecutions(), replace(BREAKABLE, protection=Protection(resources=("board/*",))))
    with pytest.raises(RefusedError, match="protected"):
        broken(guarded)


def test_it_counts_only_while_the_policy_names_that_person(bench: Bench) -> None:
    execution = broken(bench)
    assert is_approved(BREAKABLE, execution)
    assert not is_approved(replace(BREAKABLE, break_glass=None), execution)
    other = replace(BREAKABLE, break_glass=BreakGlass(people=frozenset({"U0OTTO"})))
    assert not is_approved(other, execution)
    assert other.digest != BREAKABLE.digest


def test_a_second_approver_reviews_it_once(bench: Bench) -> None:
    name = broken(bench).execution_id
    bench.people.people["U0ANA"] = Person(actor=ANA, groups=frozenset({"S0SEC"}))
    with pytest.raises(RefusedError, match="somebody else"):
        bench.remediation.review(name, ANA)
    with pytest.raises(RefusedError, match="not among the approvers"):
        bench.remediation.review(name, OTTO)
    reviewed = bench.remediation.review(name, PRIYA)
    assert (reviewed.decisions[-1].verdict, reviewed.unreviewed) == (Verdict.REVIEWED, None)
    with pytest.raises(RefusedError, match="nothing to review"):
        bench.remediation.review(name, OMAR)


def test_it_comes_up_again_until_somebody_has_reviewed_it(bench: Bench) -> None:
    execution = broken(bench)
    assert bench.store.ran_out(bench.now, since=bench.now) == [execution]
    bench.remediation.review(execution.execution_id, PRIYA)
    later: datetime = bench.now + timedelta(days=3)
    assert bench.store.ran_out(later, since=later) == []
