"""Anything that people, clocks, crashes and strangers can do, in any order and in between: no run without a valid approval, no way out of an end.

The store and the board are watched (`promises`): whatever is saved or written is held to the promise at that moment.
"""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple, rule

from audit.actor import Actor
from audit.errors import CountersignError
from remediation.excepting import ExceptionWish
from remediation.ports import OWNER_LOST_AFTER
from remediation.runner import Runner
from remediation.settling import Settling
from remediation.states import UNDER_WAY, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, PRIYA
from tests.faults.scene import Scene
from tests.faults.turns import (
    BETWEEN,
    CALM,
    GLASS_TOO,
    NAMES,
    PEOPLE,
    PROCESSES,
    TURNS,
    VALUES,
    WORDS,
    Between,
    Turn,
)


class Fixes(Scene):
    """People asking, deciding and running, on one board; processes that die and take over."""

    executions = Bundle("executions")

    @rule(target=executions, person=st.sampled_from([ANA, ANA, OTTO, OMAR]))
    def ask(self, person: Actor) -> str | MultipleResults[str]:
        with suppress(CountersignError):
            return self.request(person)
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

    @rule(target=executions, glass=GLASS_TOO, turn=TURNS)
    def ask_sign_and_run(self, glass: Actor | None, turn: Turn) -> str | MultipleResults[str]:
        """Open what is shut and have it fixed: the way that leads far."""
        if not any(each.status in UNDER_WAY for each in self.store.history(limit=1000)):
            for name in NAMES:
                self.board.meddle(name, "open")
        asked = self.ask(ANA)
        if isinstance(asked, str):
            if glass:
                self.break_glass(asked, glass, "now")
            for person in (OMAR, PRIYA):
                self.approve(asked, person, None)
            self.run(asked, turn)
        return asked

    @rule(at=st.integers(2, 8), what=WORDS, who=PEOPLE)
    def come_between_a_run(self, at: int, what: str, who: Actor) -> None:
        """Let somebody come between two calls of a run."""
        self.ask_sign_and_run(glass=None, turn=Turn(between=Between(at, what, who)))

    @rule(person=PEOPLE, to=st.sampled_from(["ajar", "shut"]), turn=TURNS)
    def sign_what_drifted(self, person: Actor, to: str, turn: Turn) -> None:
        """Sign, change a switch before it runs, and sign once more."""
        asked = self.ask(ANA)
        if isinstance(asked, str):
            for signer in (OMAR, PRIYA):
                self.approve(asked, signer, None)
            self.meddle("door", to)
            self.run(asked, Turn())
            self.approve(asked, person, None)
            self.run(asked, turn)

    @rule(
        cut_at=st.integers(5, 13),
        name=st.sampled_from(NAMES),
        to=st.sampled_from(["open", "closed", "ajar", "ajar"]),
        between=BETWEEN,
    )
    def cut_meddle_and_recover(self, cut_at: int, name: str, to: str, between: Between) -> None:
        """Let a process die in a run, and somebody change a switch before another takes it over."""
        self.ask_sign_and_run(glass=None, turn=Turn(cut_at=cut_at))
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
        late = self.store.glimpses(PlaybookStatus.PENDING, until=self.bench.now)
        approved = self.store.glimpses(PlaybookStatus.APPROVED)
        if execution in {each.execution_id for each in (*late, *approved)}:
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
        self.work(lambda runner: runner.run(execution), execution, turn)

    @rule(execution=executions, turn=TURNS)
    def recover(self, execution: str, turn: Turn) -> None:
        self.work(lambda runner: runner.recover(execution), execution, turn)

    @rule(execution=executions, person=PEOPLE, turn=TURNS)
    def roll_back(self, execution: str, person: Actor, turn: Turn) -> None:
        self.work(lambda runner: self.rollbacks(runner).ask(execution, person), execution, turn)

    @rule(execution=executions, person=PEOPLE, process=PROCESSES)
    def roll_back_past_the_rules(self, execution: str, person: Actor, process: str) -> None:
        """Try it without asking, where two have to sign."""
        if self.bench.policy.rollback_approvals > 1:
            self.work(lambda runner: runner.roll_back(execution, person), execution, Turn(process))

    @rule(execution=executions, person=PEOPLE, has_expired=st.booleans())
    def end_rollback(self, execution: str, person: Actor, has_expired: bool) -> None:
        rollbacks = self.rollbacks(self.bench.runner)
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

        self.work(say, execution, turn)

    @rule(person=PEOPLE, name=st.sampled_from(NAMES), turn=TURNS)
    def interrupt_and_try_again(self, person: Actor, name: str, turn: Turn) -> None:
        """Leave behind what nobody can tell about, set it back by hand, and have it tried again."""
        written_at = {"door": 4, "window": 8}  # the call right after its write
        self.cut_meddle_and_recover(cut_at=written_at[name], name=name, to="ajar", between=CALM)
        for each in NAMES:
            self.meddle(each, "open")
        for execution in self.store.history(limit=1):
            self.settle(execution.execution_id, person, "again", turn)


TestFixes = pytest.mark.slow(Fixes.TestCase)
TestFixes.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
