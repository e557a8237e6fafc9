"""Whole playbooks, stopped before and after every journal write and every write to a cloud, then swept by the next process.

The library's playbooks run as they stand there, on a resource that each of them is for: conditions choose the steps. Besides them
runs one with a step of every kind. A stop is an error that nothing catches, and the next process has its own connection to the
database; all moments of a long playbook of each cloud and some of the last one are real processes that die by SIGKILL, as all moments of
single actions are in `test_fault_matrix.py`. The moments are counted by a run without an accident, so none is left out when a playbook grows.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import RefusedError
from remediation.execution import PlaybookExecution
from remediation.library import PlaybookLibrary
from remediation.planning import Planner
from remediation.policy import EXECUTOR_DEFAULT
from remediation.states import ActionStatus, PlaybookStatus
from tests.faults.dying import DIED, Fate, in_child
from tests.faults.every_kind import EveryKindStage
from tests.faults.wholes import WHOLES, KilledStage, WholeStage

S = PlaybookStatus
Begin = Callable[[], WholeStage]
# Of the playbook with every kind of step: the moments at which a real process dies.
KILLED = range(0, 30, 6)
# Of each cloud, the playbook with the most steps and writes: a real process dies at each moment of it.
LONGEST = ("access key", "Google key", "storage key")
STAGES = [
    *(pytest.param(name, WholeStage, id=name) for name in WHOLES),
    *(pytest.param(name, KilledStage, id=f"{name}, killed") for name in LONGEST),
]


def test_no_playbook_of_the_library_is_left_out() -> None:
    assert {whole.playbook_id for whole in WHOLES.values()} == set(PlaybookLibrary.get_all_playbooks())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), STAGES)
def test_a_playbook_of_the_library(
    name: str,
    kind: type[WholeStage],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    empty_database: Path,
) -> None:
    whole = WHOLES[name]
    stages: list[WholeStage] = []

    def begin() -> WholeStage:
        folder = tmp_path / str(len(stages))
        folder.mkdir()
        stages.append(kind(whole, whole.kind.prepare(request), folder, empty_database))
        return stages[-1]

    calm = begin()
    moments = calm.run_until(None)
    done = calm.stored()
    assert done.status is S.COMPLETED, done.error
    assert len(done.actions) == whole.steps
    writes = calm.writes(calm.log)
    # Begun, intent and outcome of each step, the end: each with a before and an after, as each write has.
    assert moments == 2 * (2 + 2 * whole.steps + writes.total())
    put_back(calm, done, is_by_hand=False)
    for point in range(moments):
        stage = begin()
        assert stage.run_until(point) == point
        take_over(stage, writes)
        put_back(stage, stage.stored(), is_by_hand=point in whole.by_hand)


@pytest.mark.slow
@pytest.mark.parametrize("script", [False, True], ids=["without a script", "with a script"])
def test_a_playbook_with_a_step_of_every_kind(script: bool, tmp_path: Path, empty_database: Path) -> None:
    calm = EveryKindStage(tmp_path / "calm", empty_database, script=script)
    moments = calm.run_until(None)
    done = calm.stored()
    assert done.status is S.COMPLETED, done.error
    assert "close_hatch" not in {result.action_name for result in done.actions}, "its condition does not hold"
    writes = calm.writes(calm.log)
    assert writes.total() == 4 + script
    ends = Counter[PlaybookStatus]()
    for point in range(moments):
        stage = EveryKindStage(tmp_path / str(point), empty_database, script=script)
        assert stage.run_until(point) == point
        take_over(stage, writes)
        ends[stage.stored().status] += 1
        put_back(stage, stage.stored(), is_by_hand=False)
    # A script never goes on by itself, nor does what comes before it.
    assert (ends[S.INTERRUPTED] > 0) is script
    assert ends[S.COMPLETED] > 0
    assert ends[S.FAILED] > 0


@pytest.mark.slow
def test_a_rollback_of_several_actions(tmp_path: Path, empty_database: Path) -> None:
    calm = EveryKindStage(tmp_path / "calm", empty_database, script=False)
    calm.run_until(None)
    moments = calm.put_back_until(None)
    writes = calm.writes(calm.back)
    assert writes == {"window=open": 1, "door=open": 1}
    for point in range(moments):
        stage = EveryKindStage(tmp_path / str(point), empty_database, script=False)
        stage.run_until(None)
        assert stage.put_back_until(point) == point
        stage.take_over(stage.back)
        if stage.stored().status is not S.ROLLED_BACK:
            assert stage.stored().can_roll_back
            stage.put_back_until(None)
        assert stage.stored().status is S.ROLLED_BACK, stage.stored().error
        assert stage.case.read_raw() == stage.original
        assert stage.writes(stage.back) == writes, "put back twice, or not at all"


@pytest.mark.slow
@pytest.mark.parametrize("point", KILLED)
def test_a_process_that_is_killed(point: int, tmp_path: Path, empty_database: Path) -> None:
    calm = EveryKindStage(tmp_path / "calm", empty_database, script=True)
    assert calm.run_until(None) > max(KILLED)
    writes = calm.writes(calm.log)
    stage = EveryKindStage(tmp_path / "killed", empty_database, script=True)
    assert in_child(lambda: stage.run(Fate(stage.log, dies_at=point))) == DIED
    take_over(stage, writes)
    put_back(stage, stage.stored(), is_by_hand=False)


def take_over(stage: WholeStage, writes: Counter[str]) -> None:
    """Let the next process take it over, and hold what it ends at to what was promised."""
    before = stage.stored()
    stage.take_over(stage.log)
    after = stage.stored()
    done = stage.writes(stage.log)
    assert done <= writes, f"done twice: {done - writes}"
    assert after.status in {S.COMPLETED, S.FAILED, S.INTERRUPTED}, "nowhere definite"
    assert before.status is not S.RUNNING or after.owner == "boot-second"
    unknown = [result for result in after.actions if result.status is ActionStatus.STARTED]
    assert len(unknown) == (after.status is S.INTERRUPTED)
    if after.status is S.COMPLETED:
        assert done == writes
        assert {result.status for result in after.actions} == {ActionStatus.COMPLETED}
    check_resources(stage, after)


def check_resources(stage: WholeStage, after: PlaybookExecution) -> None:
    """Hold each step that is said to be done, or not done, to what the resource shows."""
    assert after.plan is not None
    planner = Planner(stage.registry(), EXECUTOR_DEFAULT)
    steps = planner.stored_steps(after.playbook, after.finding)
    for step, plan, result in zip(steps, after.plan.actions, after.actions, strict=True):
        if plan.effect != "change" or not step.action.verifiable:
            continue
        if result.status is ActionStatus.COMPLETED:
            step.action.verify(plan)
        elif result.observed is not None:
            assert step.action.observe(plan) == result.observed, f"{plan.action_name} is said to be half done"
        elif result.status is not ActionStatus.STARTED:
            assert step.action.observe(plan) == plan.before, f"{plan.action_name} is said not to be done"


def put_back(stage: WholeStage, after: PlaybookExecution, *, is_by_hand: bool) -> None:
    """Put it back, where it can be: all of it, however far it had come. What wrote nothing left everything as it was."""
    if not after.can_roll_back:
        if not any(result.before is not None for result in after.actions):
            assert stage.case.read_raw() == stage.original
        return
    if is_by_hand:
        left = stage.case.read_raw()
        with pytest.raises(RefusedError, match="Somebody changed"):
            stage.put_back_until(None)
        assert stage.case.read_raw() == left
        return
    stage.put_back_until(None)
    back = stage.stored()
    assert back.status is S.ROLLED_BACK, back.error
    assert stage.case.read_raw() == stage.original
