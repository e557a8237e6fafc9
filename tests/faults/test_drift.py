"""Somebody changes the resource at each moment of a fix's life: nothing runs that nobody approved, and nobody's change is lost.

A life is played once to learn how often the resource is read; then somebody changes a switch right before each reading, and the
bot's next look has to see it.
"""

from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from audit.errors import RefusedError
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, PRIYA, Bench, Switchboard, door_finding, door_playbook

NAMES = ("door", "window")
# How often a life reads: a plan of two actions, the plan again, twice for each action, once for each and twice more to put it back.
READINGS = 14
# The first look before anything is put back: what it sees stops the whole rollback, not only its own part.
BEFORE_ROLLBACK = 8
# The look after each write of ours: what somebody sets between the two counts as what the write left, and the card shows it.
AFTER_WRITE = {5, 7, 11, 13}
Write = tuple[str, object, object]


@dataclass
class Meddled(Switchboard):
    """A board on which somebody sets a switch right before the n-th reading; `overwrote` is what our writes found."""

    at: int = -1
    name: str = "door"
    readings: int = 0
    overwrote: list[Write] = field(default_factory=list)

    def read(self, name: str) -> object:
        if self.readings == self.at:
            self.switches[self.name] = "ajar"
        self.readings += 1
        return super().read(name)

    def write(self, name: str, value: object) -> None:
        self.overwrote.append((name, self.switches[name], value))
        super().write(name, value)


def live(board: Meddled) -> tuple[Bench, PlaybookExecution]:
    """Ask, approve, run and put back, as far as it goes; where it was not put back, somebody clicks a second time."""
    bench = Bench(MemoryExecutions(), board=board)
    asked = bench.remediation.request(door_playbook(names=NAMES), door_finding(), ANA)
    if asked.status is PlaybookStatus.PENDING:
        bench.remediation.approve(asked.execution_id, OMAR)
    bench.runner.run(asked.execution_id)
    for _ in range(2):
        if bench.store.get(asked.execution_id).can_roll_back:
            with suppress(RefusedError):
                bench.runner.roll_back(asked.execution_id, PRIYA)
    return bench, bench.store.get(asked.execution_id)


def test_a_life_without_anybody_else() -> None:
    board = Meddled(switches={"door": "open", "window": "open"})
    _, ended = live(board)
    assert ended.status is PlaybookStatus.ROLLED_BACK
    assert board.readings == READINGS
    assert board.overwrote == [
        ("door", "open", "closed"),
        ("window", "open", "closed"),
        ("window", "closed", "open"),
        ("door", "closed", "open"),
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", range(READINGS))
def test_somebody_changes_it_before_reading(at: int, name: str) -> None:
    board = Meddled(switches={"door": "open", "window": "open"}, at=at, name=name)
    bench, ended = live(board)
    assert board.readings > at, "nobody looked any more"
    if any(was == "ajar" for _, was, _ in board.overwrote):
        refuse_unseen(ended, NAMES.index(name), {name: "ajar"}, at=at)
    if board.overwrote:
        assert ended.status in {
            PlaybookStatus.COMPLETED,
            PlaybookStatus.FAILED,
            PlaybookStatus.ROLLED_BACK,
            PlaybookStatus.ROLLBACK_FAILED,
        }
    else:
        assert ended.status in {PlaybookStatus.PENDING, PlaybookStatus.FAILED}
    if ended.status is PlaybookStatus.PENDING:
        assert ended.revision == 2
        assert ended.approvals == ()
        assert [change.after for change in ended.drift] == ["ajar"]
    if at == BEFORE_ROLLBACK:
        assert ended.status is PlaybookStatus.COMPLETED
        assert len(board.overwrote) == len(NAMES), "nothing was put back"
    if ended.status is PlaybookStatus.COMPLETED:
        assert bench.board.switches[name] == "ajar", "the rollback that would overwrite it was refused"


def refuse_unseen(
    ended: PlaybookExecution, position: int, overwritten: dict[str, object], *, at: int
) -> None:
    """Let us overwrite somebody's change only where a person saw it first: in the plan that was signed, or in what a write left.

    What somebody sets between our write and the look after it cannot be told from a write that took effect in part: the
    card shows it, and whoever asks for the rollback asks for it to be overwritten.
    """
    assert ended.plan is not None
    planned, result = ended.plan.actions[position], ended.actions[position]
    signed = {decision.plan_digest for decision in ended.decisions}
    in_plan = ended.plan.digest in signed and dict(planned.before) == overwritten
    assert in_plan or (at in AFTER_WRITE and result.observed == overwritten)
