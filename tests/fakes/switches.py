"""A cloud of switches in memory, and an action on one of them; failures can be planted at any call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.actor import Actor
from audit.errors import RefusedError
from audit.findings import Finding, Severity
from remediation.actions.contract import Action, Draft, Params, Permissions
from remediation.actions.registry import ActionRegistry
from remediation.journal import Journal
from remediation.plan import ActionPlan, State, Target
from remediation.planning import Planner
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy
from remediation.ports import ExecutionStore, Person
from remediation.runner import Runner
from remediation.service import Remediation

ANA = Actor(workspace="T1", slack_id="U0ANA", email="ana@northwind.example")
OMAR = Actor(workspace="T1", slack_id="U0OMAR", email="omar@northwind.example")
PRIYA = Actor(workspace="T1", slack_id="U0PRIYA", email="priya@northwind.example")
OTTO = Actor(workspace="T1", slack_id="U0OTTO", email="otto@northwind.example")
POLICY = Policy(approver_groups=frozenset({"S0SEC"}))
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass
class Switchboard:
    """Switches by name; `calls` is what was asked of it, `plans` holds failures by call name."""

    switches: dict[str, object] = field(default_factory=lambda: {"door": "open"})
    calls: list[str] = field(default_factory=list)
    faults: dict[str, Callable[[], None]] = field(default_factory=dict)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if fault := self.faults.get(name):
            fault()

    def read(self, name: str) -> object:
        self._call("read")
        return self.switches.get(name)

    def write(self, name: str, value: object) -> None:
        self._call("before write")
        self.switches[name] = value
        self._call("after write")


class SwitchParams(Params):
    name: str
    to: str


class Switch(Action[SwitchParams]):
    """Sets one switch of the board."""

    action_type = "switch"
    key = "switch"
    params_model = SwitchParams
    reversible = True
    idempotent = True
    permissions = Permissions(plan=("board:Read",), apply=("board:Write",), rollback=("board:Write",))

    def __init__(self, board: Switchboard) -> None:
        self.board = board

    def plan(self, target: Target, params: SwitchParams) -> Draft:
        now = self.board.read(params.name)
        return Draft(
            target=target, before={params.name: now}, after={params.name: params.to}, untouched=("the rest",)
        )

    def observe(self, plan: ActionPlan) -> State:
        return {name: self.board.read(name) for name in plan.before}

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        return self._write(plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        return self._write(plan.before)

    def _write(self, state: State) -> tuple[str, ...]:
        for name, value in state.items():
            self.board.write(name, value)
        return ("req-1",)


class People:
    """A directory in memory; `broken` makes it not answer."""

    def __init__(self) -> None:
        self.people = {actor.slack_id: Person(actor=actor) for actor in (ANA, OTTO)}
        for actor in (OMAR, PRIYA):
            self.people[actor.slack_id] = Person(actor=actor, groups=frozenset({"S0SEC"}))
        self.by_email: dict[str, Person] = {}
        self.broken: Exception | None = None

    def look_up(self, actor: Actor, *, groups: frozenset[str]) -> Person:
        if self.broken:
            raise self.broken
        if actor.email and not actor.slack_id:
            if actor.email not in self.by_email:
                raise RefusedError(f"{actor.email} is nobody in this workspace")
            return self.by_email[actor.email]
        return self.people.get(actor.slack_id, Person(actor=actor))


@dataclass
class Bench:
    """The use cases on a board, with a clock that moves only by hand."""

    store: ExecutionStore
    policy: Policy = POLICY
    board: Switchboard = field(default_factory=Switchboard)
    people: People = field(default_factory=People)
    now: datetime = START
    others: Sequence[Action[Any]] = ()

    def __post_init__(self) -> None:
        planner = Planner(
            ActionRegistry([Switch(self.board), *self.others]), self.policy, clock=lambda: self.now
        )
        self.remediation = Remediation(
            store=self.store, planner=planner, directory=self.people, clock=lambda: self.now
        )
        journal = Journal(store=self.store, clock=lambda: self.now, owner="boot-test")
        self.runner = Runner(journal=journal, planner=planner)

    def pass_time(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def door_playbook(*, names: tuple[str, ...] = ("door",)) -> RemediationPlaybook:
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    for name in names:
        book.add_action(f"close_{name}", "switch", {"name": name, "to": "closed"})
    return book


def door_finding() -> Finding:
    return Finding(
        id="F-1", title="Door is open", severity=Severity.HIGH, resource="board/door", provider="board"
    )
