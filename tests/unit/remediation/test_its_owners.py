"""While an execution runs or is put back, its row is its owner's: whatever anybody else says then, at whatever moment, breaks nothing."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import pytest

from audit.actor import Actor
from audit.errors import CountersignError, RefusedError, StateError
from remediation.attention import Attention, Herald
from remediation.excepting import ExceptionWish
from remediation.execution import PlaybookExecution, Verdict
from remediation.journal import InHand
from remediation.memory import MemoryExecutions
from remediation.playbook import RemediationPlaybook
from remediation.rechecking import Rechecking
from remediation.rollbacks import Rollbacks
from remediation.rules import BreakGlass
from remediation.settling import Settling
from remediation.states import LIVE, PlaybookStatus
from storage import Stores
from tests.databases import stores_in_memory
from tests.fakes.stores import MemoryStores
from tests.fakes.switches import (
    ANA,
    OMAR,
    OTTO,
    POLICY,
    PRIYA,
    START,
    Bench,
    Switch,
    Switchboard,
    door_finding,
    door_playbook,
)
from tests.unit.remediation.hall import Hall, a_door
from tests.unit.remediation.power import PowerCutError

Word = Callable[[], object]
GLASS = BreakGlass(people=frozenset({"U0OTTO"}))
RULES = replace(POLICY, break_glass=GLASS, rollback_approvals=2)
TWO_WRITES = 2


class Once(Switch):
    """Nobody can tell whether it was done, and it must not be done twice: what loses its row here is lost for good."""

    action_type = "once"
    key = "once"
    idempotent = False
    verifiable = False


def two_steps(playbook_id: str = "CLOSE-DOORS", *, action: str = "switch") -> RemediationPlaybook:
    book = RemediationPlaybook(playbook_id, "Close the doors", "Closes them.", "Network", "HIGH")
    book.add_action("close_door", action, {"name": "{{ finding.resource }}", "to": "closed"})
    book.add_action("close_gate", action, {"name": "gate", "to": "closed"})
    return book


@dataclass
class Moments:
    """Does something at every cloud call and after every journal write of one execution, while it is being worked on."""

    stores: MemoryStores | Stores
    name: str
    at_each: Callable[[], None]
    seen: list[str] = field(default_factory=list)
    is_busy: bool = False

    def changed(self, execution_id: str) -> None:
        if execution_id == self.name:
            self.at("journal")

    def at(self, what: str) -> None:
        if self.is_busy or self.stores.executions.get(self.name).status not in LIVE:
            return
        self.seen.append(what)
        self.is_busy = True
        self.at_each()
        self.is_busy = False


@dataclass
class Scene:
    """An item of a batch, whose broken glass nobody has reviewed, and who may say what about it."""

    hall: Hall
    book: RemediationPlaybook
    name: str = ""
    joins: int = 0

    def __post_init__(self) -> None:
        self.hall.ask([a_door(1)], book=self.book)
        self.name = self.hall.members().executions[0].execution_id
        self.hall.remediation.break_glass(self.name, OTTO, reason="customers are down")

    @property
    def stored(self) -> PlaybookExecution:
        return self.hall.stores.executions.get(self.name)

    def joined(self) -> int:
        return self.hall.kinds().count("execution.joined")

    def at_each_moment(self, do: Callable[[], None]) -> Moments:
        moments = Moments(self.hall.stores, self.name, do)
        bench = self.hall.bench
        bench.runner = replace(
            bench.runner, journal=replace(bench.runner.journal, notifier=moments), in_hand=InHand()
        )
        for call in ("read", "before write", "after write"):
            bench.board.faults[call] = partial(moments.at, call)
        return moments

    def words(self) -> Mapping[str, Word]:
        """Return everything that writes to executions, but the run itself and what takes it over from the dead."""
        remediation, name, runner = self.hall.remediation, self.name, self.hall.bench.runner
        elsewhere = replace(runner, journal=replace(runner.journal, owner="boot-other"), in_hand=InHand())
        back, settling = Rollbacks(remediation, elsewhere), Settling(remediation, elsewhere.journal)
        wish = ExceptionWish((START + timedelta(days=5)).date())
        seen = self.hall.seen()
        return {
            "the same fix": self.join,
            "another fix": lambda: remediation.request(two_steps("OTHER"), a_door(1), PRIYA),
            "a batch with it": lambda: self.hall.ask([a_door(1)], batch_id="b-2", by=PRIYA),
            "approve": lambda: remediation.approve(name, OMAR),
            "reject": lambda: remediation.reject(name, OMAR, reason="no"),
            "an exception": lambda: remediation.reject(name, OMAR, reason="no", wish=wish),
            "break the glass": lambda: remediation.break_glass(name, OTTO, reason="again"),
            "the policy's word": lambda: remediation.approve_by_policy(self.stored),
            "review": lambda: remediation.review(name, OMAR),
            "expire": lambda: remediation.expire(self.stored),
            "approve the batch": lambda: self.hall.decisions.approve("b-1", OMAR, set_seen=seen),
            "reject the batch": lambda: self.hall.decisions.reject("b-1", OMAR, set_seen=seen, reason="no"),
            "roll the batch back": lambda: self.hall.rollbacks.ask(
                "b-1", OMAR, set_seen=self.hall.seen_back()
            ),
            "refuse that": lambda: self.hall.rollbacks.refuse("b-1", OMAR, set_seen=self.hall.seen_back()),
            "ask to roll back": lambda: back.ask(name, OMAR),
            "sign the rollback": lambda: back.sign(name, PRIYA),
            "a program's rollback": lambda: back.request(name, Actor(origin="api")),
            "refuse the rollback": lambda: back.refuse(name, PRIYA),
            "expire the rollback": lambda: back.expire(self.stored),
            "roll back": lambda: elsewhere.roll_back(name, OMAR),
            "run": lambda: elsewhere.run(name),
            "it was done": lambda: settling.say_done(name, OMAR, revision=1),
            "it was not done": lambda: settling.say_not_done(name, OMAR, revision=1),
            "try again": lambda: elsewhere.try_again(name, OMAR),
            "notices": lambda: self.herald().due(self.hall.bench.now + timedelta(days=2)),
            **({"look again": self.look_again} if isinstance(self.hall.stores, Stores) else {}),
        }

    def join(self) -> None:
        """Ask for the same fix; once all is closed there is nothing to ask for, so an open door joins."""
        joined = self.hall.remediation.request(self.book, a_door(1), PRIYA)
        self.joins += joined.execution_id == self.name

    def herald(self) -> Herald:
        stores = self.hall.stores
        return Herald(
            store=stores.executions,
            exceptions=stores.exceptions,
            notices=stores.notices,
            policy=RULES,
            attention=Attention(remind_before=timedelta(hours=1), escalate_to=("C1",)),
        )

    def look_again(self) -> None:
        stores = self.hall.stores
        assert isinstance(stores, Stores)
        planner = self.hall.bench.runner.planner
        Rechecking(
            store=stores.executions,
            planner=planner,
            tracker=stores.tracker,
            rechecks=stores.rechecks,
            trail=stores.trail,
        ).recheck(self.name)

    def say_all(self) -> None:
        """Say everything, and see that nothing of it touched the row."""
        seen = self.stored
        for named, say in self.words().items():
            with suppress(CountersignError):
                say()
            assert self.stored == seen, f"“{named}” wrote to what is {seen.status.value}"

    def put_back(self) -> PlaybookExecution:
        """Have both sign the rollback, the second of them running it."""
        rollbacks = Rollbacks(self.hall.remediation, self.hall.bench.runner)
        rollbacks.ask(self.name, OMAR)
        return rollbacks.ask(self.name, PRIYA)


def scene_on(stores: MemoryStores | Stores, *, action: str = "switch") -> Scene:
    board = Switchboard({"door-1": "open", "gate": "open"})
    hall = Hall(RULES, stores, board)
    hall.bench.others = (Once(board),)
    hall.__post_init__()
    hall.bench.others = ()
    return Scene(hall, two_steps(action=action))


@pytest.fixture(params=[MemoryStores, stores_in_memory], ids=["memory", "sqlite"])
def scene(request: pytest.FixtureRequest) -> Scene:
    return scene_on(request.param())


def check_unbroken(scene: Scene, moments: Moments) -> None:
    """It was touched at every moment there is, and not taken over, not even from itself."""
    assert {"read", "before write", "after write", "journal"} <= set(moments.seen)
    assert moments.seen.count("before write") == TWO_WRITES
    assert scene.stored.takeovers == 0
    assert "execution.taken_over" not in scene.hall.kinds()
    assert scene.joined() == scene.joins >= len(moments.seen) // 2, "each who asked again is on the trail"


def test_no_word_at_any_moment_touches_a_run(scene: Scene) -> None:
    moments = scene.at_each_moment(scene.say_all)
    assert scene.hall.bench.runner.run(scene.name).status is PlaybookStatus.COMPLETED
    assert scene.hall.board.switches == {"door-1": "closed", "gate": "closed"}
    check_unbroken(scene, moments)


def test_no_word_at_any_moment_touches_a_rollback(scene: Scene) -> None:
    scene.hall.bench.runner.run(scene.name)
    moments = scene.at_each_moment(scene.say_all)
    assert scene.put_back().status is PlaybookStatus.ROLLED_BACK
    assert scene.hall.board.switches == {"door-1": "open", "gate": "open"}
    check_unbroken(scene, moments)


@pytest.mark.parametrize("call", ["read", "before write", "after write"])
def test_what_may_not_be_done_twice_ends_well_though_somebody_asks_again(call: str) -> None:
    board = Switchboard({"door-1": "open", "gate": "open"})
    bench = Bench(MemoryExecutions(), board=board, others=(Once(board),))
    book = two_steps(action="once")
    name = bench.remediation.request(book, a_door(1), ANA).execution_id
    bench.remediation.approve(name, OMAR)
    asked: list[str] = []

    def ask_again() -> None:
        board.faults.clear()
        if bench.store.get(name).status in LIVE:
            asked.append(bench.remediation.request(book, a_door(1), OTTO).execution_id)
        board.faults[call] = ask_again

    board.faults[call] = ask_again
    assert bench.runner.run(name).status is PlaybookStatus.COMPLETED
    assert board.switches == {"door-1": "closed", "gate": "closed"}
    assert name in asked


def test_a_review_waits_until_what_it_is_about_is_over() -> None:
    bench = Bench(MemoryExecutions(), RULES)
    name = bench.remediation.request(door_playbook(), door_finding(), ANA).execution_id
    bench.remediation.break_glass(name, OTTO, reason="customers are down")

    def review() -> None:
        with pytest.raises(RefusedError, match=r"Not yet: it is already approved and running\."):
            bench.remediation.review(name, PRIYA)

    bench.board.faults["after write"] = review
    assert bench.runner.run(name).status is PlaybookStatus.COMPLETED
    assert bench.remediation.review(name, PRIYA).decisions[-1].verdict is Verdict.REVIEWED


def test_a_rollback_that_nobody_signed_in_time_ends_after_the_run_and_not_in_it() -> None:
    bench = Bench(MemoryExecutions(), RULES)
    rollbacks = Rollbacks(bench.remediation, bench.runner)
    name = bench.remediation.request(door_playbook(), door_finding(), ANA).execution_id
    bench.remediation.approve(name, OMAR)

    def cut() -> None:
        bench.board.switches["door"] = "ajar"
        raise PowerCutError

    bench.board.faults["after write"] = cut
    with pytest.raises(PowerCutError):
        bench.runner.run(name)
    bench.board.faults.clear()
    assert bench.runner.recover(name).status is PlaybookStatus.INTERRUPTED
    bench.board.switches["door"] = "open"
    assert rollbacks.ask(name, OMAR).rollback is not None

    def expire() -> None:
        bench.pass_time(hours=25)
        with pytest.raises(StateError, match="being worked on"):
            rollbacks.expire(bench.store.get(name))

    bench.board.faults["before write"] = expire
    assert bench.runner.try_again(name, OMAR).status is PlaybookStatus.COMPLETED
    assert rollbacks.expire(bench.store.get(name)).rollback is None
