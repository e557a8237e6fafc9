"""After the fix, on a database: the resource is read once more, and its finding follows what was read."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.actor import Actor
from audit.errors import Cause, TemporaryActionError
from audit.findings import Finding
from audit.ingest import Reading
from audit.lifecycle import LifecycleState, TrackedFinding
from remediation.aftercare import RecheckVerdict
from remediation.rechecking import MOST_ATTEMPTS, Rechecking
from tests.databases import stores_in_memory
from tests.fakes.samples import a_reading
from tests.fakes.switches import ANA, OMAR, PRIYA, START, Bench, Switch, door_finding, door_playbook


class Desk:
    """The use cases on a database in memory, and what looks after them."""

    def __init__(self, *others: type[Switch]) -> None:
        self.stores = stores_in_memory()
        self.bench = Bench(self.stores.executions)
        self.bench.others = [other(self.bench.board) for other in others]
        self.bench.__post_init__()
        self.rechecking = Rechecking(
            store=self.stores.executions,
            planner=self.bench.runner.planner,
            tracker=self.stores.tracker,
            rechecks=self.stores.rechecks,
            trail=self.stores.trail,
            clock=lambda: self.bench.now,
        )

    def report(self, *findings: Finding, days: float) -> None:
        at = START + timedelta(days=days)
        reading: Reading = a_reading(findings, content=f"day {days}", generated_at=at)
        self.stores.reports.ingest(
            replace(reading, source="Prowler OCSF"), actor=Actor(origin="cli"), now=max(at, self.bench.now)
        )

    def fix(self, *, action: str = "switch") -> str:
        """Close the door, with everybody's consent; return the execution's id."""
        book = door_playbook(names=() if action != "switch" else ("door",))
        if action != "switch":
            book.add_action("close_door", action, {"name": "door", "to": "closed"})
        asked = self.bench.remediation.request(book, door_finding(), ANA)
        self.bench.remediation.approve(asked.execution_id, OMAR)
        self.bench.runner.run(asked.execution_id)
        return asked.execution_id

    def sweep(self) -> list[RecheckVerdict | None]:
        """Do what the worker's sweep finds."""
        return [self.rechecking.recheck(name) for name in self.stores.rechecks.due(self.bench.now)]

    def finding(self) -> TrackedFinding:
        return self.stores.tracker.track(door_finding().fingerprint, now=self.bench.now)

    def kinds(self) -> list[str]:
        return [json.loads(entry.body)["kind"] for entry in self.stores.trail.stream()]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.report(door_finding(), days=-1)
    yield desk
    desk.stores.close()


def test_a_completed_fix_closes_its_finding_with_what_was_read(desk: Desk) -> None:
    execution_id = desk.fix()
    assert desk.finding().state is LifecycleState.NEW
    assert desk.sweep() == [RecheckVerdict.FIXED]

    done = desk.finding()
    assert (done.state, done.fixed_by, done.fixed_at) == (LifecycleState.FIXED, execution_id, START)
    assert done.evidence == {
        "read_at": START.isoformat(),
        "actions": [
            {
                "action": "close_door",
                "resource": "board/door",
                "observed": {"door": "closed"},
                "as_planned": True,
            }
        ],
    }
    assert desk.kinds()[-1] == "finding.fixed"
    assert desk.sweep() == [], "looked at once"


def test_it_is_read_from_the_resource_and_not_taken_from_the_execution(desk: Desk) -> None:
    desk.fix()
    desk.bench.board.switches["door"] = "ajar"
    assert desk.sweep() == [RecheckVerdict.NOT_FIXED]
    assert desk.finding().state is LifecycleState.NEW
    assert desk.kinds()[-1] == "finding.not_fixed"
    assert desk.sweep() == []


def test_after_a_rollback_it_is_open_again(desk: Desk) -> None:
    execution_id = desk.fix()
    desk.sweep()
    desk.bench.pass_time(hours=1)
    desk.bench.runner.roll_back(execution_id, PRIYA)
    assert desk.sweep() == [RecheckVerdict.TAKEN_BACK]
    assert (desk.finding().state, desk.finding().opened_at) == (
        LifecycleState.NEW,
        START - timedelta(days=1),
    )
    assert desk.kinds()[-1] == "finding.reopened"
    assert desk.sweep() == []


def test_a_fix_that_was_rolled_back_before_anybody_looked_is_nobodys_fix(desk: Desk) -> None:
    execution_id = desk.fix()
    desk.bench.runner.roll_back(execution_id, PRIYA)
    assert desk.sweep() == [RecheckVerdict.TAKEN_BACK]
    assert desk.sweep() == []
    assert desk.finding().state is LifecycleState.NEW
    assert "finding.reopened" not in desk.kinds()


def test_a_rollback_that_begins_while_somebody_looks_is_found_afterwards(desk: Desk) -> None:
    """The look saw a completed fix; what it notes must not outlive the rollback."""
    execution_id = desk.fix()
    board = desk.bench.board

    def roll_back_first() -> None:
        board.faults.clear()
        desk.bench.runner.roll_back(execution_id, PRIYA)
        board.switches["door"] = "closed"

    board.faults["read"] = roll_back_first
    assert desk.sweep() == [RecheckVerdict.FIXED]
    assert desk.sweep() == [RecheckVerdict.TAKEN_BACK]
    assert desk.finding().state is LifecycleState.NEW


def test_what_cannot_be_read_is_tried_again_later_and_given_up_some_day(desk: Desk) -> None:
    def unreachable() -> None:
        raise TemporaryActionError("the board does not answer", cause=Cause.UNAVAILABLE)

    desk.fix()
    desk.bench.board.faults["read"] = unreachable
    assert desk.sweep() == [RecheckVerdict.UNREADABLE]
    assert desk.sweep() == [], "not at once"
    desk.bench.pass_time(minutes=1)
    assert desk.sweep() == [RecheckVerdict.UNREADABLE]
    for _ in range(MOST_ATTEMPTS - 3):
        desk.bench.pass_time(hours=6)
        assert desk.sweep() == [RecheckVerdict.UNREADABLE]
    desk.bench.pass_time(hours=6)
    assert desk.sweep() == [RecheckVerdict.UNREAD]
    assert desk.kinds()[-1] == "finding.unreadable"
    desk.bench.pass_time(days=9)
    assert desk.sweep() == []


def test_an_answer_that_comes_late_counts(desk: Desk) -> None:
    def unreachable() -> None:
        raise TemporaryActionError("the board does not answer", cause=Cause.UNAVAILABLE)

    desk.fix()
    desk.bench.board.faults["read"] = unreachable
    desk.sweep()
    desk.bench.board.faults.clear()
    desk.bench.pass_time(minutes=1)
    assert desk.sweep() == [RecheckVerdict.FIXED]
    assert desk.finding().state is LifecycleState.FIXED


class Blind(Switch):
    """A switch that nobody can read back."""

    action_type = "blind"
    key = "blind"
    verifiable = False


def test_what_cannot_be_read_back_proves_nothing() -> None:
    desk = Desk(Blind)
    desk.report(door_finding(), days=-1)
    desk.fix(action="blind")
    assert desk.sweep() == [RecheckVerdict.UNREAD]
    assert desk.finding().state is LifecycleState.NEW
    desk.stores.close()


def test_a_rehearsal_is_no_fix(desk: Desk) -> None:
    book = door_playbook()
    desk.bench.board.switches["door"] = "closed"
    desk.bench.remediation.request(book, door_finding(), ANA, dry_run=True)
    assert desk.sweep() == [RecheckVerdict.UNREAD]
    assert desk.finding().state is LifecycleState.NEW


def test_a_look_that_a_crash_cut_off_is_taken_again_and_marks_once(desk: Desk) -> None:
    execution_id = desk.fix()
    notes: list[object] = []

    class Torn:
        """Dies before it has noted anything."""

        due, last = desk.stores.rechecks.due, desk.stores.rechecks.last

        def note(self, recheck: object) -> None:
            notes.append(recheck)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(desk.rechecking, rechecks=Torn()).recheck(execution_id)  # type: ignore[arg-type]
    assert len(notes) == 1
    assert desk.sweep() == [RecheckVerdict.FIXED]
    assert desk.kinds().count("finding.fixed") == 1


def test_a_report_that_shows_it_again_is_a_regression_to_be_told_once(desk: Desk) -> None:
    execution_id = desk.fix()
    desk.sweep()
    desk.report(door_finding(), days=1)
    assert desk.finding().state is LifecycleState.REGRESSED
    assert desk.finding().regressed_from == execution_id

    later = START + timedelta(days=2)
    (key,) = desk.stores.regressions.untold(later)
    begun = desk.stores.regressions.begin(key, later, next_attempt_at=later + timedelta(minutes=1))
    assert begun is not None
    assert (begun.execution_id, begun.attempts) == (execution_id, 1)
    assert desk.stores.regressions.untold(later) == []
    assert desk.stores.regressions.untold(later + timedelta(minutes=1)) == [key]
    desk.stores.regressions.told(key)
    assert desk.stores.regressions.untold(later + timedelta(days=9)) == []
    assert desk.stores.regressions.begin(key, later, next_attempt_at=later) is None
