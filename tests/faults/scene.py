"""The stage of `test_states_machine`: a watched store and board, three processes on it, and people who come between their calls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from audit.actor import Actor
from audit.errors import CountersignError
from audit.trail import breaks
from remediation.ports import Person
from remediation.rollbacks import Rollbacks
from remediation.rules import BreakGlass
from remediation.runner import Runner
from remediation.service import Remediation
from tests.fakes.executions import MemoryExceptions
from tests.fakes.listening import Listener
from tests.fakes.switches import POLICY, Bench, door_finding, door_playbook
from tests.faults.promises import GLASS, LENA, Board, PowerCutError, WatchedStore
from tests.faults.turns import NAMES, WORK, Between, Turn


class Scene(RuleBasedStateMachine):
    """Where everything happens, under rules that ask for one or two signatures."""

    @initialize(needed=st.sampled_from([1, 2]), back=st.sampled_from([1, 2]))
    def begin(self, needed: int, back: int) -> None:
        self.asked = 0
        self.asked = 0
        self.store = store = WatchedStore()
        policy = replace(
            POLICY,
            required_approvals=needed,
            rollback_approvals=back,
            break_glass=BreakGlass(people=frozenset(GLASS)),
        )
        self.board = Board(switches=dict.fromkeys(NAMES, "open"), store=store)
        self.bench = store.bench = Bench(store, policy=policy, board=self.board)
        self.bench.people.people[LENA.slack_id] = Person(actor=LENA, groups=frozenset({"S0SEC"}))
        store.exceptions = MemoryExceptions(store)
        self.remediation: Remediation = replace(self.bench.remediation, exceptions=store.exceptions)
        self.bench.runner = replace(self.bench.runner, exceptions=store.exceptions)
        self.processes = {name: Listener(self.bench, name) for name in ("one", "two", "three")}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert not list(breaks(self.store.trail.stream()))

    def request(self, person: Actor) -> str:
        """Ask for the fix; no name of an execution is left to chance, or a failure could not be played again."""
        self.asked += 1
        book = door_playbook(names=NAMES)
        return self.remediation.request(
            book, door_finding(), person, execution_id=f"x-{self.asked:04}"
        ).execution_id

    def rollbacks(self, runner: Runner) -> Rollbacks:
        """Return what takes words about rollbacks, as a process does."""
        return Rollbacks(self.remediation, runner)

    def work(
        self,
        work: Callable[[Runner], object],
        execution: str,
        turn: Turn,
    ) -> None:
        """Let a living process work on an execution, until it dies or is done."""
        listener = self.processes[turn.process]
        listener.look()
        self.board.meanwhile = lambda: self._come_between(execution, turn.process, turn.between)
        self.board.cut_at, self.board.meanwhile_at = turn.cut_at, turn.between.at
        with suppress(CountersignError, PowerCutError), self._at_work(turn.process):
            work(listener.runner)
        self.board.calm()

    @contextmanager
    def _at_work(self, process: str) -> Iterator[None]:
        before, self.store.at_work = self.store.at_work, process
        try:
            yield
        finally:
            self.store.at_work = before

    def _come_between(self, execution: str, process: str, between: Between) -> None:
        other = "two" if process == "three" else "three"
        runner = self.processes[other].runner
        words: dict[str, Callable[[], object]] = {
            "join": lambda: self.request(between.who),
            "review": lambda: self.remediation.review(execution, between.who),
            "approve": lambda: self.remediation.approve(execution, between.who),
            "reject": lambda: self.remediation.reject(execution, between.who, reason="because"),
            "glass": lambda: self.remediation.break_glass(execution, between.who, reason="now"),
            "back": lambda: self.rollbacks(runner).ask(execution, between.who),
            "refuse back": lambda: self.rollbacks(runner).refuse(execution, between.who),
            "recover": lambda: runner.recover(execution),
        }
        with suppress(CountersignError), self._at_work(other if between.what in WORK else ""):
            words[between.what]()
