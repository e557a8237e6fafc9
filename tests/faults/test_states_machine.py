"""Anything that people, clocks, crashes and strangers can do, in any order: no run without a valid approval, no way out of an end.

The store is watched: whatever is saved is held to the promise at that moment, and so is each write to the board.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from audit.actor import Actor
from audit.errors import CountersignError
from audit.trail import TrailEvent
from remediation.execution import PlaybookExecution, Verdict
from remediation.memory import MemoryExecutions
from remediation.record import record_digest
from remediation.settling import Settling
from remediation.states import UNDER_WAY, PlaybookStatus
from tests.fakes.switches import (
    ANA,
    OMAR,
    OTTO,
    POLICY,
    PRIYA,
    Bench,
    Switchboard,
    door_finding,
    door_playbook,
)

# Those who may come more often: most of what people do has to go well, or no life gets far.
PEOPLE = st.sampled_from([OMAR, PRIYA, OMAR, PRIYA, ANA, OTTO])
CUTS = st.sampled_from([-1, -1, *range(14)])
APPROVERS = {OMAR.slack_id, PRIYA.slack_id}
ENDS = {PlaybookStatus.REJECTED, PlaybookStatus.EXPIRED, PlaybookStatus.ROLLED_BACK}
MOVING = {PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK}
NAMES = ("door", "window")


class PowerCutError(Exception):
    """The process ends here."""


@dataclass
class Board(Switchboard):
    """A board that only a run or a rollback may write to, and on which the power may be cut."""

    cut_at: int = -1
    store: "WatchedStore | None" = None

    def _call(self, name: str) -> None:
        if self.cut_at == 0:
            self.cut_at = -1
            raise PowerCutError
        self.cut_at -= self.cut_at > 0

    def write(self, name: str, value: object) -> None:
        assert self.store is not None
        moving = [each for each in self.store.history(limit=1000) if each.status in MOVING]
        assert len(moving) == 1, "a write that belongs to no run, or to two"
        super().write(name, value)


class WatchedStore(MemoryExecutions):
    """Holds every change to what was promised."""

    bench: "Bench"

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        saved = super().save(before, after, event)
        assert event.detail["version"] == saved.version, "a change without its number on the trail"
        assert event.detail["record_digest"] == record_digest(saved), "an entry about another change"
        stored = [each.status for each in self.history(limit=1000) if each.status in UNDER_WAY]
        assert len(stored) <= 1, "two under way on one resource"
        if before.status is not after.status:
            assert before.status not in ENDS, "a way out of an end"
        if after.status is PlaybookStatus.RUNNING and before.status is not PlaybookStatus.RUNNING:
            self._check_start(before, saved)
        return saved

    def _check_start(self, before: PlaybookExecution, running: PlaybookExecution) -> None:
        assert running.plan is not None
        signed = {
            decision.actor.slack_id
            for decision in running.decisions
            if decision.verdict is Verdict.APPROVE
            and decision.plan_digest == running.plan.digest
            and decision.revision == running.revision
        }
        assert signed & APPROVERS - {running.requester.slack_id}, "nobody who may has signed this plan"
        assert self.bench.now < running.expires_at
        if before.status is PlaybookStatus.APPROVED:
            now = self.bench.board.switches
            assert all(now[name] == was for plan in running.plan.actions for name, was in plan.before.items())
        else:
            assert before.status is PlaybookStatus.INTERRUPTED
            assert running.decisions[-1].verdict is Verdict.TRY_AGAIN
            assert running.decisions[-1].actor.slack_id in APPROVERS


class Fixes(RuleBasedStateMachine):
    """People asking, deciding and running, on one board."""

    executions = Bundle("executions")

    @initialize()
    def begin(self) -> None:
        store = WatchedStore()
        self.board = Board(switches=dict.fromkeys(NAMES, "open"), store=store)
        self.bench = store.bench = Bench(store, policy=POLICY, board=self.board)

    @rule(target=executions, person=st.sampled_from([ANA, ANA, OTTO, OMAR]))
    def ask(self, person: Actor) -> str | MultipleResults[str]:
        with suppress(CountersignError):
            return self.bench.remediation.request(
                door_playbook(names=NAMES), door_finding(), person
            ).execution_id
        return multiple()

    @rule(execution=executions, person=PEOPLE, revision=st.sampled_from([None, 1, 2]))
    def approve(self, execution: str, person: Actor, revision: int | None) -> None:
        with suppress(CountersignError):
            self.bench.remediation.approve(execution, person, revision=revision)

    @rule(target=executions, signer=PEOPLE, cut_at=CUTS)
    def ask_sign_and_run(self, signer: Actor, cut_at: int) -> str | MultipleResults[str]:
        """Open what is shut and have it fixed: the way that leads far."""
        if not any(each.status in UNDER_WAY for each in self.bench.store.history(limit=1000)):
            self.board.switches.update(dict.fromkeys(NAMES, "open"))
        asked = self.ask(ANA)
        if isinstance(asked, str):
            self.approve(asked, signer, None)
            self.run(asked, cut_at)
        return asked

    @rule(
        cut_at=st.integers(5, 13),
        name=st.sampled_from(NAMES),
        to=st.sampled_from(["open", "closed", "ajar", "ajar"]),
    )
    def cut_meddle_and_recover(self, cut_at: int, name: str, to: str) -> None:
        """Let the power fail in a run, and somebody change a switch before it is taken over."""
        self.ask_sign_and_run(OMAR, cut_at)
        self.meddle(name, to)
        self.sweep(-1)

    @rule(cut_at=CUTS)
    def sweep(self, cut_at: int) -> None:
        """Do what the next process's sweep does."""
        for each in self.bench.store.unfinished("boot-test", self.bench.now):
            self.recover(each.execution_id, cut_at)

    @rule(person=PEOPLE, cut_at=CUTS)
    def put_newest_back(self, person: Actor, cut_at: int) -> None:
        """Roll back what was fixed last."""
        for each in self.bench.store.history(limit=1):
            self.roll_back(each.execution_id, person, cut_at)

    @rule(execution=executions, person=PEOPLE)
    def reject(self, execution: str, person: Actor) -> None:
        with suppress(CountersignError):
            self.bench.remediation.reject(execution, person, reason="because")

    @rule(execution=executions)
    def expire(self, execution: str) -> None:
        waiting = {each.execution_id for each in self.bench.store.waiting(self.bench.now)}
        if execution in waiting:
            with suppress(CountersignError):
                self.bench.remediation.expire(self.bench.store.get(execution))

    @rule(hours=st.sampled_from([1, 1, 30]))
    def pass_time(self, hours: int) -> None:
        self.bench.pass_time(hours=hours)

    @rule(name=st.sampled_from(NAMES), to=st.sampled_from(["open", "closed", "ajar"]))
    def meddle(self, name: str, to: str) -> None:
        self.board.switches[name] = to

    @rule(execution=executions, cut_at=CUTS)
    def run(self, execution: str, cut_at: int) -> None:
        self._work(lambda: self.bench.runner.run(execution), cut_at)

    @rule(execution=executions, cut_at=CUTS)
    def recover(self, execution: str, cut_at: int) -> None:
        self._work(lambda: self.bench.runner.recover(execution), cut_at)

    @rule(execution=executions, person=PEOPLE, cut_at=CUTS)
    def roll_back(self, execution: str, person: Actor, cut_at: int) -> None:
        def allowed() -> None:
            found, who = self.bench.remediation.allow_rollback(execution, person)
            self.bench.runner.roll_back(found.execution_id, who)

        self._work(allowed, cut_at)

    @rule(
        execution=executions,
        person=PEOPLE,
        word=st.sampled_from(["done", "not done", "again"]),
        cut_at=CUTS,
    )
    def settle(self, execution: str, person: Actor, word: str, cut_at: int) -> None:
        settling = Settling(self.bench.remediation, self.bench.runner.journal)

        def say() -> None:
            revision = self.bench.store.get(execution).revision
            if word == "again":
                found, who = settling.allow(execution, person, revision=revision)
                self.bench.runner.try_again(found.execution_id, who)
            elif word == "done":
                settling.say_done(execution, person, revision=revision)
            else:
                settling.say_not_done(execution, person, revision=revision)

        self._work(say, cut_at)

    def _work(self, work: Callable[[], object], cut_at: int) -> None:
        self.board.cut_at = cut_at
        with suppress(CountersignError, PowerCutError):
            work()
        self.board.cut_at = -1


TestFixes = pytest.mark.slow(Fixes.TestCase)
TestFixes.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
