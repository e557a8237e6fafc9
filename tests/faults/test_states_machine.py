"""Anything that people, clocks, crashes and strangers can do, in any order and in between: no run without a valid approval, no way out of an end.

The store and the board are watched (`promises`): whatever is saved or written is held to the promise at that moment.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from audit.actor import Actor
from audit.errors import CountersignError
from audit.trail import breaks
from remediation.excepting import ExceptionWish
from remediation.ports import OWNER_LOST_AFTER, Person
from remediation.rollbacks import Rollbacks
from remediation.rules import BreakGlass
from remediation.runner import Runner
from remediation.service import Remediation
from remediation.settling import Settling
from remediation.states import UNDER_WAY
from tests.fakes.executions import MemoryExceptions
from tests.fakes.listening import Listener
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, Bench, door_finding, door_playbook
from tests.faults.promises import GLASS, LENA, Board, PowerCutError, WatchedStore

# Those who may come more often: most of what people do has to go well, or no life gets far.
PEOPLE = st.sampled_from([OMAR, PRIYA, LENA, OMAR, PRIYA, LENA, ANA, OTTO])
CUTS = st.sampled_from([-1, -1, *range(14)])
NAMES = ("door", "window")
VALUES = ("open", "closed", "ajar")
PROCESSES = st.sampled_from(["one", "two", "three"])


@dataclass(frozen=True)
class Between:
    """What somebody else does in the middle of a run or a rollback, at its n-th call to the cloud; `at` -1: nothing."""

    at: int
    what: str
    who: Actor


BETWEEN = st.builds(
    Between,
    at=st.sampled_from([-1, *range(10)]),
    what=st.sampled_from(["join", "review", "approve", "reject", "glass", "back", "refuse back", "recover"]),
    who=PEOPLE,
)
WORK = {"back", "recover"}  # of these, what a process does and not a person alone
CALM = Between(-1, "join", ANA)


@dataclass(frozen=True)
class Turn:
    """A process at work: which, at which call to the cloud it dies (-1: at none), and what comes between."""

    process: str = "one"
    cut_at: int = -1
    between: Between = CALM


TURNS = st.builds(Turn, PROCESSES, CUTS, BETWEEN)


class Fixes(RuleBasedStateMachine):
    """People asking, deciding and running, on one board; processes that die and take over."""

    executions = Bundle("executions")

    @initialize(needed=st.sampled_from([1, 2]), back=st.sampled_from([1, 2]))
    def begin(self, needed: int, back: int) -> None:
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

    @rule(target=executions, person=st.sampled_from([ANA, ANA, OTTO, OMAR]))
    def ask(self, person: Actor) -> str | MultipleResults[str]:
        with suppress(CountersignError):
            return self.remediation.request(door_playbook(names=NAMES), door_finding(), person).execution_id
        return multiple()

    @rule(execution=executions, person=PEOPLE, revision=st.sampled_from([None, 1, 2]))
    def approve(self, execution: str, person: Actor, revision: int | None) -> None:
        with suppress(CountersignError):
            self.remediation.approve(execution, person, revision=revision)

    @rule(execution=executions, person=PEOPLE, reason=st.sampled_from(["now", "now", " "]))
    def break_glass(self, execution: str, person: Actor, reason: str) -> None:
        with suppress(CountersignError):
            self.remediation.break_glass(execution, person, reason=reason)

    @rule(execution=executions, person=PEOPLE)
    def review(self, execution: str, person: Actor) -> None:
        with suppress(CountersignError):
            self.remediation.review(execution, person)

    @rule(target=executions, glass=st.booleans(), turn=TURNS)
    def ask_sign_and_run(self, glass: bool, turn: Turn) -> str | MultipleResults[str]:
        """Open what is shut and have it fixed: the way that leads far."""
        if not any(each.status in UNDER_WAY for each in self.store.history(limit=1000)):
            for name in NAMES:
                self.board.meddle(name, "open")
        asked = self.ask(ANA)
        if isinstance(asked, str):
            if glass:
                self.break_glass(asked, ANA, "now")
            for person in (OMAR, PRIYA):
                self.approve(asked, person, None)
            self.run(asked, turn)
        return asked

    @rule(
        cut_at=st.integers(5, 13),
        name=st.sampled_from(NAMES),
        to=st.sampled_from(["open", "closed", "ajar", "ajar"]),
        between=BETWEEN,
    )
    def cut_meddle_and_recover(self, cut_at: int, name: str, to: str, between: Between) -> None:
        """Let a process die in a run, and somebody change a switch before another takes it over."""
        self.ask_sign_and_run(glass=False, turn=Turn(cut_at=cut_at))
        self.meddle(name, to)
        self.listen()
        self.sweep(Turn("two", between=between))

    @rule(turn=TURNS)
    def sweep(self, turn: Turn) -> None:
        """Do what a process's sweep does."""
        self.processes[turn.process].look()
        for each in self.store.unfinished(turn.process, self.bench.now):
            self.recover(each.execution_id, turn)

    @rule()
    def listen(self) -> None:
        """Let two processes hear nothing of any other for long enough."""
        for _ in range(2):
            for name in ("two", "three"):
                self.processes[name].listen(OWNER_LOST_AFTER / 2)

    @rule(first=PEOPLE, second=PEOPLE, turn=TURNS)
    def put_newest_back(self, first: Actor, second: Actor, turn: Turn) -> None:
        """Roll back what was fixed last, with two signatures."""
        for each in self.store.history(limit=1):
            for person in (first, second):
                self.roll_back(each.execution_id, person, turn)

    @rule(execution=executions, person=PEOPLE, days=st.sampled_from([None, None, 0, 1, 3]))
    def reject(self, execution: str, person: Actor, days: int | None) -> None:
        wish = None if days is None else ExceptionWish(self.bench.now.date() + timedelta(days=days))
        with suppress(CountersignError):
            self.remediation.reject(execution, person, reason="because", wish=wish)

    @rule(person=PEOPLE)
    def leave_it_as_it_is(self, person: Actor) -> None:
        """Grant an exception for what waits, and try to have it fixed all the same."""
        for each in self.store.history(limit=1):
            self.reject(each.execution_id, person, 1)
        self.ask(ANA)

    @rule(execution=executions)
    def expire(self, execution: str) -> None:
        waiting = {each.execution_id for each in self.store.waiting(self.bench.now)}
        if execution in waiting:
            with suppress(CountersignError):
                self.remediation.expire(self.store.get(execution))

    @rule(hours=st.sampled_from([1, 1, 30]))
    def pass_time(self, hours: int) -> None:
        self.bench.pass_time(hours=hours)

    @rule(name=st.sampled_from(NAMES), to=st.sampled_from(VALUES))
    def meddle(self, name: str, to: str) -> None:
        self.board.meddle(name, to)

    @rule(execution=executions, turn=TURNS)
    def run(self, execution: str, turn: Turn) -> None:
        self._work(lambda runner: runner.run(execution), execution, turn)

    @rule(execution=executions, turn=TURNS)
    def recover(self, execution: str, turn: Turn) -> None:
        self._work(lambda runner: runner.recover(execution), execution, turn)

    @rule(execution=executions, person=PEOPLE, turn=TURNS)
    def roll_back(self, execution: str, person: Actor, turn: Turn) -> None:
        self._work(lambda runner: self._rollbacks(runner).ask(execution, person), execution, turn)

    @rule(execution=executions, person=PEOPLE, process=PROCESSES)
    def roll_back_past_the_rules(self, execution: str, person: Actor, process: str) -> None:
        """Try it without asking, where two have to sign."""
        if self.bench.policy.rollback_approvals > 1:
            self._work(lambda runner: runner.roll_back(execution, person), execution, Turn(process))

    @rule(execution=executions, person=PEOPLE, has_expired=st.booleans())
    def end_rollback(self, execution: str, person: Actor, has_expired: bool) -> None:
        rollbacks = self._rollbacks(self.bench.runner)
        with suppress(CountersignError):
            if has_expired:
                rollbacks.expire(self.store.get(execution))
            else:
                rollbacks.refuse(execution, person)

    @rule(
        execution=executions,
        person=PEOPLE,
        word=st.sampled_from(["done", "not done", "again"]),
        turn=TURNS,
    )
    def settle(self, execution: str, person: Actor, word: str, turn: Turn) -> None:
        def say(runner: Runner) -> None:
            settling = Settling(self.remediation, runner.journal)
            revision = self.store.get(execution).revision
            if word == "again":
                found, who = settling.allow(execution, person, revision=revision)
                runner.try_again(found.execution_id, who)
            elif word == "done":
                settling.say_done(execution, person, revision=revision)
            else:
                settling.say_not_done(execution, person, revision=revision)

        self._work(say, execution, turn)

    @rule(person=PEOPLE, name=st.sampled_from(NAMES), turn=TURNS)
    def interrupt_and_try_again(self, person: Actor, name: str, turn: Turn) -> None:
        """Leave behind what nobody can tell about, set it back by hand, and have it tried again."""
        self.cut_meddle_and_recover(cut_at=7, name=name, to="ajar", between=CALM)
        for each in NAMES:
            self.meddle(each, "open")
        for execution in self.store.history(limit=1):
            self.settle(execution.execution_id, person, "again", turn)

    def _rollbacks(self, runner: Runner) -> Rollbacks:
        return Rollbacks(self.remediation, runner)

    def _work(
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
            "join": lambda: self.ask(between.who),
            "review": lambda: self.review(execution, between.who),
            "approve": lambda: self.approve(execution, between.who, None),
            "reject": lambda: self.reject(execution, between.who, 1),
            "glass": lambda: self.break_glass(execution, between.who, "now"),
            "back": lambda: self._rollbacks(runner).ask(execution, between.who),
            "refuse back": lambda: self._rollbacks(runner).refuse(execution, between.who),
            "recover": lambda: runner.recover(execution),
        }
        with suppress(CountersignError), self._at_work(other if between.what in WORK else ""):
            words[between.what]()


TestFixes = pytest.mark.slow(Fixes.TestCase)
TestFixes.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
