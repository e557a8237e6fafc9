"""One run of a playbook on one finding: the aggregate that is stored, shown and moved from state to state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Self

from audit.actor import Actor
from audit.errors import StateError
from audit.findings import Finding, Severity
from remediation.plan import Change, Plan, State
from remediation.resource_key import resource_key
from remediation.states import LIVE, UNDER_WAY, ActionStatus, PlaybookStatus, check_transition


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of one action.

    `before` is the state captured and committed before the first write, `observed` the one read right after our last
    write where a cloud confirmed that write and the state is not what was planned: what we left, and nobody else's. `request_ids` are the
    cloud's own ids of the calls that wrote, or of the one that failed. The specification's custom handlers return one of these.
    """

    action_name: str
    status: ActionStatus
    message: str = ""
    error: str | None = None
    before: State | None = None
    observed: State | None = None
    request_ids: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Verdict(Enum):
    """What a person said."""

    APPROVE = "approve"
    REJECT = "reject"
    ROLL_BACK = "roll_back"
    DONE = "done"
    NOT_DONE = "not_done"
    TRY_AGAIN = "try_again"
    ASK_ROLLBACK = "ask_rollback"
    SIGN_ROLLBACK = "sign_rollback"
    REFUSE_ROLLBACK = "refuse_rollback"
    BREAK_GLASS = "break_glass"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word on one revision of the plan; `plan_digest` is what they signed."""

    verdict: Verdict
    actor: Actor
    at: datetime
    revision: int
    plan_digest: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A setting that a rollback puts back: what it was before the fix, what we set, and what it is now."""

    resource: str
    setting: str
    was: object
    we_set: object
    now: object


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """A rollback that waits for another person's signature.

    `asked_version` is the version of the execution that it was asked of, so that no two requests are the same. `digest` is what is
    signed; `settings` what they see.
    """

    requester: Actor
    asked_at: datetime
    asked_version: int
    expires_at: datetime
    digest: str
    settings: tuple[Restored, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What a sweep has to know of an execution. `entry` is what stands for it in lists; the last three say which rule decides."""

    execution_id: str
    entry: str
    revision: int
    expires_at: datetime
    severity: Severity
    account_id: str
    playbook_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookExecution:
    """An execution as of one version.

    `version` rises with every stored change and settles races; `revision` rises when the plan is drawn up
    anew because the resource changed, and voids the decisions made before. `playbook` is the text that was
    approved, so a later edit of the file changes nothing here. `drift` holds what changed since the last revision.
    `holds` names the resource that nobody else may work on while this is under way, once for all its spellings
    (`remediation.resource_key`); empty holds nothing.
    `run_number` counts the runs on its resource, as they began, whatever clocks say; 0 has not run.
    `rollback` is one that waits for signatures; `review_due_at` by when a second person has to have looked at what was run
    under broken glass.
    `takeovers` counts how often a run was taken over from a process that left it in the middle. `batch_id` names the batch it
    was asked for in, if any.
    """

    execution_id: str
    playbook: Mapping[str, object]
    finding: Finding
    requester: Actor
    created_at: datetime
    expires_at: datetime
    status: PlaybookStatus = PlaybookStatus.PENDING
    plan: Plan | None = None
    actions: tuple[ActionResult, ...] = ()
    decisions: tuple[Decision, ...] = ()
    drift: tuple[Change, ...] = ()
    channel: str = ""
    holds: str = ""
    dry_run: bool = False
    error: str | None = None
    owner: str = ""
    rollback: RollbackRequest | None = None
    review_due_at: datetime | None = None
    takeovers: int = 0
    batch_id: str = ""
    run_number: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    revision: int = 1
    version: int = 0

    @property
    def playbook_id(self) -> str:
        """Return the playbook's id."""
        return str(self.playbook["playbook_id"])

    @property
    def playbook_name(self) -> str:
        """Return the playbook's name."""
        return str(self.playbook["name"])

    @property
    def finding_id(self) -> str:
        """Return the scanner's id of the finding."""
        return self.finding.id

    @property
    def initiated_by(self) -> str:
        """Return who asked."""
        return self.requester.label

    @property
    def entry(self) -> str:
        """Return what stands for this in lists of what waits: its batch as long as it is on that one's card, else itself."""
        return self.batch_id if self.batch_id and self.revision == 1 else self.execution_id

    @property
    def glimpse(self) -> Glimpse:
        """Return what a sweep has to know of it."""
        return Glimpse(
            execution_id=self.execution_id,
            entry=self.entry,
            revision=self.revision,
            expires_at=self.expires_at,
            severity=self.finding.severity,
            account_id=self.finding.account_id,
            playbook_id=self.playbook_id,
        )

    @property
    def held(self) -> str:
        """Return what is held at this moment: nothing, once it is over."""
        return self.holds if self.status in UNDER_WAY else ""

    @property
    def resource_names(self) -> tuple[str, ...]:
        """Return what its resource is known by: the one name for all its spellings, then the scanner's own, by which older ones are stored."""
        return (resource_key(self.finding, self.plan), self.finding.resource)

    @property
    def approvals(self) -> tuple[Decision, ...]:
        """Return the approvals of the plan as it stands now."""
        return tuple(
            decision
            for decision in self.decisions
            if decision.verdict is Verdict.APPROVE and decision.revision == self.revision
        )

    @property
    def unreviewed(self) -> Decision | None:
        """Return the last time that somebody broke the glass, where nobody has reviewed it since."""
        for decision in reversed(self.decisions):
            if decision.verdict is Verdict.REVIEWED:
                return None
            if decision.verdict is Verdict.BREAK_GLASS:
                return decision
        return None

    @property
    def wakes_at(self) -> datetime | None:
        """Return when a worker has to look at this again, whatever state it is in."""
        review = self.unreviewed.at if self.unreviewed else None
        rollback = self.rollback.expires_at if self.rollback else None
        return min((at for at in (review, rollback) if at is not None), default=None)

    @property
    def can_roll_back(self) -> bool:
        """Tell whether it is over, and there is something to put back and a way to do it."""
        return self.status in _ROLLS_BACK_FROM and self.has_way_back

    @property
    def has_way_back(self) -> bool:
        """Tell whether there is something to put back and a way to do it, whether or not it is over."""
        wrote = any(result.before is not None for result in self.actions)
        allowed = self.playbook.get("rollback_enabled") is not False
        return wrote and allowed and self.plan is not None and self.plan.reversible

    def moved(self, status: PlaybookStatus, **changes: object) -> Self:
        """Return this execution in another state.

        Raises:
            StateError: the transition table has no such move.
        """
        check_transition(self.status, status)
        return replace(self, status=status, **changes)  # type: ignore[arg-type]

    def decided(self, verdict: Verdict, actor: Actor, at: datetime) -> Self:
        """Return this execution with a person's word on the plan as it stands."""
        digest = self.plan.digest if self.plan else ""
        decision = Decision(verdict=verdict, actor=actor, at=at, revision=self.revision, plan_digest=digest)
        return replace(self, decisions=(*self.decisions, decision))

    def with_action(self, position: int, result: ActionResult) -> Self:
        """Return this execution with the result of one action replaced."""
        actions = (*self.actions[:position], result, *self.actions[position + 1 :])
        return replace(self, actions=actions)


def check_change(before: PlaybookExecution, after: PlaybookExecution) -> None:
    """Let a change pass that any store may store: a move in the table, every word of a person kept, and none in the middle of a run.

    Raises:
        StateError: says which of them it is not.
    """
    if before.status is not after.status:
        check_transition(before.status, after.status)
    elif before.status in LIVE and after.decisions != before.decisions:
        raise StateError(
            f"execution {before.execution_id} is being worked on: nobody decides on it meanwhile"
        )
    if after.decisions[: len(before.decisions)] != before.decisions:
        raise StateError("a decision that was made stays on record")


_ROLLS_BACK_FROM = {
    PlaybookStatus.COMPLETED,
    PlaybookStatus.FAILED,
    PlaybookStatus.INTERRUPTED,
    PlaybookStatus.ROLLBACK_FAILED,
}


def glimpses_between(
    found: Iterable[Glimpse], *, after: datetime | None, until: datetime | None
) -> list[Glimpse]:
    """Return those whose time ends later than `after` and no later than `until`, in that order."""
    wanted = (
        each
        for each in found
        if (after is None or each.expires_at > after) and (until is None or each.expires_at <= until)
    )
    return sorted(wanted, key=attrgetter("expires_at", "execution_id"))
