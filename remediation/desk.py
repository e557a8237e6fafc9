"""What all use cases share: the store, the people, the voice, and how a change is written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from audit.actor import WORKER, Actor
from audit.errors import RefusedError, StateError
from audit.trail import TrailEvent
from remediation.clock import utc_now
from remediation.events import change_event, execution_event
from remediation.excepted import NoExceptions
from remediation.execution import Decision, PlaybookExecution, Verdict
from remediation.planning import Planner
from remediation.policy import Policy
from remediation.ports import Directory, ExceptionGate, ExecutionStore, Notifier, Person, Silent
from remediation.rules import Terms
from remediation.states import LIVE, PlaybookStatus

RACES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change that may be stored: what it makes of an execution, and what the trail says of it."""

    before: PlaybookExecution
    after: PlaybookExecution
    kind: str
    actor: Actor
    detail: Mapping[str, object] = field(default_factory=dict)


def addressed(actor: Actor) -> Mapping[str, object]:
    """Return what the trail says beside somebody of whom nobody knows an address; nothing where one is known."""
    return {} if actor.email else {"email": "not known"}


DecideOnce = Callable[[PlaybookExecution, Actor, int | None], PlaybookExecution]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where requests and decisions are made. `directory` is read at each decision; `clock` returns aware UTC."""

    store: ExecutionStore
    planner: Planner
    directory: Directory
    notifier: Notifier = field(default_factory=Silent)
    exceptions: ExceptionGate = field(default_factory=NoExceptions)
    clock: Callable[[], datetime] = utc_now

    @property
    def policy(self) -> Policy:
        """Return the rules in force."""
        return self.planner.policy

    def look_up(self, actor: Actor, terms: Terms) -> Person:
        """Return who somebody is at this moment, and which of the groups that matter they belong to.

        Raises:
            RefusedError: nobody can tell.
        """
        return self.directory.look_up(actor, groups=terms.approver_groups)

    def introduce(self, actor: Actor) -> Actor:
        """Return somebody who came through Slack with the address that the directory knows, for the trail.

        To ask is to decide nothing, so no gate hangs on it: where the directory does not answer, or tells no address, they are returned as
        they came, and `addressed` says so.
        """
        if actor.email or not actor.slack_id:
            return actor
        try:
            found = self.directory.look_up(actor, groups=frozenset()).actor
        except RefusedError:
            return actor
        return replace(actor, email=found.email)

    def expire(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Close a pending execution whose time is over.

        Raises:
            StateError: somebody decided meanwhile.
        """
        expired = execution.moved(PlaybookStatus.EXPIRED, ended_at=self.clock())
        return self.save(execution, expired, "execution.expired", WORKER)

    def decide(
        self, decide_once: DecideOnce, execution_id: str, actor: Actor, revision: int | None
    ) -> PlaybookExecution:
        """Decide on the state as it is; when somebody was faster, look again and decide on what they left.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, or not now; nothing was decided.
        """
        for _ in range(RACES):
            try:
                return decide_once(self.store.get(execution_id), actor, revision)
            except StateError:
                continue
        raise RefusedError("Many people are deciding on this at once. Look at the card and try again.")

    def signed(
        self, execution: PlaybookExecution, verdict: Verdict, actor: Actor, *, reason: str = ""
    ) -> PlaybookExecution:
        """Return an execution with a person's word on its plan as it stands."""
        decision = Decision(
            verdict=verdict,
            actor=actor,
            at=self.clock(),
            revision=execution.revision,
            plan_digest=execution.plan.digest if execution.plan else "",
            reason=reason,
        )
        return replace(execution, decisions=(*execution.decisions, decision))

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, kind: str, actor: Actor, **detail: object
    ) -> PlaybookExecution:
        """Store a change with its trail entry, and have it shown.

        While an execution runs or is put back, nothing is changed from here: whoever runs it knows it by its version, and would lose
        it in the middle.

        Raises:
            StateError: somebody was faster, or is working on it. Nothing was written.
            TrailError: the trail cannot be written. Nothing was written.
        """
        if before.status in LIVE:
            raise StateError(f"execution {before.execution_id} is being worked on; wait until that is over")
        stored = self.store.save(before, after, self.change(kind, actor, after, **detail))
        self.notifier.changed(stored.execution_id)
        return stored

    def make(self, move: Move) -> PlaybookExecution:
        """Store a change; see `save`."""
        return self.save(move.before, move.after, move.kind, move.actor, **move.detail)

    def change(self, kind: str, actor: Actor, changed: PlaybookExecution, **detail: object) -> TrailEvent:
        """Return the trail's event about a change of an execution that is to be stored with it; see `change_event`."""
        return change_event(kind, actor, changed, at=self.clock(), detail=detail)

    def event(self, kind: str, actor: Actor, execution: PlaybookExecution, **detail: object) -> TrailEvent:
        """Return the trail's event about an execution that stays as it is."""
        return execution_event(kind, actor, execution, at=self.clock(), detail=detail)
