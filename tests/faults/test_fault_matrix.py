"""Every action, on a process that dies before and after every journal write and every write to a cloud.

A second process then does what the worker's sweep does. Nothing may be lost, nothing done twice, and where it stands
must be definite. A moment around a call that only reads would add nothing: the database and the cloud are as they were at the
moment before.
"""

from collections import Counter
from pathlib import Path

import pytest

from remediation.execution import PlaybookExecution
from remediation.states import ActionStatus, PlaybookStatus
from tests.contract.cases import all_cases
from tests.faults.dying import DIED, Fate, in_child
from tests.faults.rows import ROWS, Row
from tests.faults.stage import Stage

# Four journal writes: started, intent, what became of it, the end. Each, and each write to the cloud, has a before and an after.
JOURNAL = 8
# Up to here nothing is committed but that it began: the action's intent is not.
UNBEGUN = 3
MOMENTS = [(name, point) for name, row in ROWS.items() for point in range(JOURNAL + 2 * len(row.writes) + 1)]


def test_no_action_is_left_out() -> None:
    assert set(all_cases()) - {row.kind for row in ROWS.values()} == set()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "point"), MOMENTS, ids=lambda value: str(value).replace(" ", "_"))
def test_whenever_it_dies(
    name: str, point: int, request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> None:
    row = ROWS[name]
    stage = Stage(row.kind.prepare(request), tmp_path, empty_database)
    fate = Fate(stage.log, dies_at=point)
    ended = in_child(lambda: stage.run(fate))
    if point == JOURNAL + 2 * len(row.writes):
        assert ended == 0, "there are more moments than this table says"
        assert stage.moments() == point
        assert stage.stored().status is PlaybookStatus.COMPLETED
        assert stage.log.read_text().split() == list(row.writes) if row.writes else not stage.log.exists()
        return
    assert ended == DIED, "there are fewer moments than this table says"
    before = stage.stored()
    stage.pass_time()
    assert in_child(lambda: stage.sweep(stage.log)) == 0
    after = stage.stored()
    check_definite(stage, after, Counter(row.writes), point, is_half_done=point in row.half_done)
    check_half_way(stage, after, row, point)
    if before.status is PlaybookStatus.RUNNING:
        assert after.owner == "boot-second"
    check_way_back(stage, after, is_by_hand=point in row.by_hand)


def check_half_way(stage: Stage, after: PlaybookExecution, row: Row, point: int) -> None:
    """Hold an action that knows its own half-done states to knowing them: only what `row` says is left to people."""
    assert after.plan is not None
    if not stage.step().action.half_ways(after.plan.actions[0]):
        return
    expected = {
        **dict.fromkeys(row.by_hand, PlaybookStatus.INTERRUPTED),
        **dict.fromkeys(row.half_done, PlaybookStatus.FAILED),
    }
    assert after.status is expected.get(point, PlaybookStatus.COMPLETED), after.error


def check_definite(
    stage: Stage, after: PlaybookExecution, writes: Counter[str], point: int, *, is_half_done: bool
) -> None:
    """Hold the end to what was promised: definite, and no write more than a run without an accident has."""
    step, result, done = stage.step(), after.actions[0], Fate(stage.log).writes()
    assert done <= writes, f"done twice: {done - writes}"
    is_harmless = (step.action.idempotent and step.action.verifiable) or step.action.effect == "manual"
    if after.status is PlaybookStatus.COMPLETED:
        assert done == writes
        assert result.status is ActionStatus.COMPLETED
        assert after.plan is not None
        step.action.verify(after.plan.actions[0])
        assert (result.before is not None) is (step.action.effect == "change")
    elif after.status is PlaybookStatus.INTERRUPTED:
        assert result.status is ActionStatus.STARTED
        assert not is_harmless or writes.total() > 1, after.error
    else:
        assert after.status is PlaybookStatus.FAILED
        assert result.status in {ActionStatus.PLANNED, ActionStatus.FAILED}
        assert not is_harmless or is_half_done, after.error
        assert (result.observed is not None) is is_half_done
    if point <= UNBEGUN:
        assert not done or after.status is PlaybookStatus.COMPLETED


def check_way_back(stage: Stage, after: PlaybookExecution, *, is_by_hand: bool) -> None:
    """Put it back, where it can be: all of it, however far it had come. What may be a person's is not written over."""
    if not after.can_roll_back:
        return
    if is_by_hand:
        left = stage.case.read_raw()
        assert in_child(stage.refuse_rolling_back) == 0
        assert stage.stored() == after
        assert stage.case.read_raw() == left
        return
    assert in_child(lambda: stage.roll_back(Fate(stage.back))) == 0
    back = stage.stored()
    assert back.status is PlaybookStatus.ROLLED_BACK, back.error
    assert stage.case.read_raw() == stage.original
