"""A store and a board that hold each change to what was promised, at the moment it is made.

What they know of signatures they count for themselves: by the ids that the directory gives, and not as the code under test does.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from audit.actor import Actor
from audit.trail import TrailEvent
from remediation.execution import Decision, PlaybookExecution, Verdict
from remediation.record import record_digest
from remediation.states import UNDER_WAY, PlaybookStatus
from tests.fakes.executions import MemoryExceptions, MemoryExecutions
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA, Bench, Switchboard

S = PlaybookStatus
LENA = Actor(workspace="T1", slack_id="U0LENA", email="lena@northwind.example")
APPROVERS = {OMAR.slack_id, PRIYA.slack_id, LENA.slack_id}
GLASS = {ANA.slack_id, OTTO.slack_id, LENA.slack_id}
ENDS = {S.REJECTED, S.EXPIRED, S.ROLLED_BACK}
MOVING = {S.RUNNING, S.ROLLING_BACK}


class PowerCutError(Exception):
    """The process ends here."""


@dataclass
class Board(Switchboard):
    """A board that only a run or a rollback may write to, each of them once; on which the power may be cut, and others come in between.

    `cut_at` and `meanwhile_at` count calls: at the one the process ends, at the other somebody else does `meanwhile`.
    """

    store: "WatchedStore | None" = None
    cut_at: int = -1
    meanwhile_at: int = -1
    meanwhile: Callable[[], object] = int
    written: Counter[tuple[str, int, str]] = field(default_factory=Counter)

    def _call(self, name: str) -> None:
        self.meanwhile_at -= 1
        if self.meanwhile_at == -1:
            self.meanwhile()
        self.cut_at -= 1
        if self.cut_at == -1:
            raise PowerCutError

    def calm(self) -> None:
        """Let nothing more happen."""
        self.cut_at = self.meanwhile_at = -1

    def write(self, name: str, value: object) -> None:
        self._call("before write")
        self.switches[name] = value
        self._count(name)
        self._call("after write")

    def meddle(self, name: str, to: object) -> None:
        """Let somebody else change a switch: what was written there is undone, and may be written again."""
        self.switches[name] = to
        for write in [each for each in self.written if each[2] == name]:
            del self.written[write]

    def _count(self, name: str) -> None:
        assert self.store is not None
        moving = [each.execution_id for each in self.store.history(limit=1000) if each.status in MOVING]
        assert len(moving) == 1, "a write that belongs to no run, or to two"
        write = (moving[0], self.store.begun[moving[0]], name)
        self.written[write] += 1
        assert self.written[write] == 1, "one approval, two writes"


class WatchedStore(MemoryExecutions):
    """Holds every change to what was promised.

    `at_work` is the process that works at this moment, empty where only people speak. `begun` counts by id how often a run or a
    rollback was begun on anybody's word, `reached` what a history came to.
    """

    bench: Bench
    exceptions: MemoryExceptions

    def __init__(self) -> None:
        super().__init__()
        self.at_work = ""
        self.begun: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        assert not self._is_excepted(execution), "asked for although it is to be left as it is"
        return super().create(execution, event)

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        saved = super().save(before, after, event)
        assert event.detail["version"] == saved.version, "a change without its number on the trail"
        assert event.detail["record_digest"] == record_digest(saved), "an entry about another change"
        stored = [each.status for each in self.history(limit=1000) if each.status in UNDER_WAY]
        assert len(stored) <= 1, "two under way on one resource"
        assert before.status not in MOVING or saved.owner == self.at_work, "a live run is its owner's alone"
        if before.status is not after.status:
            assert before.status not in ENDS, "a way out of an end"
            self._check_move(before, saved, event)
        if len(saved.decisions) > len(before.decisions):
            self._check_word(before, saved.decisions[-1])
        return saved

    def _check_move(self, before: PlaybookExecution, saved: PlaybookExecution, event: TrailEvent) -> None:
        if saved.status is S.APPROVED:
            self._check_signed(saved)
        if saved.status is S.RUNNING:
            self.begun[saved.execution_id] += 1
            self._check_start(before, saved)
        if saved.status is S.ROLLING_BACK:
            self.begun[saved.execution_id] += 1
            self._check_way_back(before, event)

    def _check_signed(self, execution: PlaybookExecution) -> None:
        now = self.bench.now
        assert now < execution.expires_at
        assert not self._is_excepted(execution), "approved although it is to be left as it is"
        words = on_this_plan(execution)
        if any(
            each.verdict is Verdict.BREAK_GLASS and each.actor.slack_id in GLASS and each.reason
            for each in words
        ):
            self.reached["glass"] += 1
            return
        signed = {each.actor.slack_id for each in words if each.verdict is Verdict.APPROVE}
        needed = self.bench.policy.required_approvals
        assert len(signed & APPROVERS - {execution.requester.slack_id}) >= needed, "too few signed this plan"
        self.reached[f"signed by {needed}"] += 1

    def _check_start(self, before: PlaybookExecution, running: PlaybookExecution) -> None:
        self._check_signed(running)
        if before.status is S.APPROVED:
            now, plan = self.bench.board.switches, running.plan
            assert plan is not None
            assert all(now[name] == was for action in plan.actions for name, was in action.before.items())
        else:
            assert before.status is S.INTERRUPTED
            assert running.decisions[-1].verdict is Verdict.TRY_AGAIN
            assert running.decisions[-1].actor.slack_id in APPROVERS
            self.reached["tried again"] += 1

    def _check_way_back(self, before: PlaybookExecution, event: TrailEvent) -> None:
        needed = self.bench.policy.rollback_approvals
        assert event.actor.slack_id in APPROVERS
        if needed > 1:
            asked = before.rollback
            assert asked is not None, "nobody asked for it"
            assert self.bench.now < asked.expires_at
            words = [each for each in before.decisions if each.plan_digest == asked.digest]
            signs = {Verdict.ASK_ROLLBACK, Verdict.SIGN_ROLLBACK}
            signed = {each.actor.slack_id for each in words if each.verdict in signs}
            assert len(signed & APPROVERS) >= needed, "too few signed this rollback"
        self.reached[f"back by {needed}"] += 1

    def _check_word(self, before: PlaybookExecution, word: Decision) -> None:
        if word.verdict is Verdict.REVIEWED:
            assert before.unreviewed is not None
            assert word.actor.slack_id in APPROVERS - {before.unreviewed.actor.slack_id}
            self.reached["reviewed"] += 1

    def _is_excepted(self, execution: PlaybookExecution) -> bool:
        return self.exceptions.holding(execution.finding.fingerprint, self.bench.now) is not None


def on_this_plan(execution: PlaybookExecution) -> list[Decision]:
    """Return the decisions about exactly the plan as it stands."""
    assert execution.plan is not None
    seen = (execution.plan.digest, execution.revision)
    return [each for each in execution.decisions if (each.plan_digest, each.revision) == seen]
