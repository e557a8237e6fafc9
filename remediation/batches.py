"""Several fixes by one playbook, asked for, shown and decided together.

Each item of a batch is an ordinary execution, with a plan, journal, trail and rollback of its own; a batch only binds them. It is
decided on as a set: the waiting items in their order, each with the revision and the digest of its plan. Whatever changes one of them
changes the set's digest, and a signature on another set is none. An item whose plan was drawn up anew leaves the batch for a card of
its own (docs/adr/0009-batches.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from audit.actor import Actor
from audit.canonical import digest
from audit.trail import TrailEvent
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus

# What one person can look through, and one window of Slack can show whole.
MOST_ITEMS = 50
_SET_FORMAT = 1
_UNDER_WAY = frozenset(
    {PlaybookStatus.PENDING, PlaybookStatus.APPROVED, PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK}
)
Saving = tuple[PlaybookExecution, PlaybookExecution]
"""An execution before and after a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A finding that was asked for and is no item: its handle, its resource, and why."""

    finding: str
    resource: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What binds executions together; their order is part of what is signed.

    `refused` says, by execution id, why the last rollback of the batch left an item as it is; `refusals` counts how often that was noted.
    """

    batch_id: str
    playbook_id: str
    playbook_name: str
    requester: Actor
    created_at: datetime
    channel: str
    execution_ids: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Members:
    """A batch with its executions in order, all read at one moment."""

    batch: Batch
    executions: tuple[PlaybookExecution, ...]

    @property
    def kept(self) -> tuple[PlaybookExecution, ...]:
        """Return the items whose plan still is the one that the batch showed."""
        return tuple(each for each in self.executions if each.revision == 1)

    @property
    def waiting(self) -> tuple[PlaybookExecution, ...]:
        """Return the items that wait for a decision: the set that is signed."""
        return tuple(each for each in self.kept if each.status is PlaybookStatus.PENDING)

    @property
    def is_busy(self) -> bool:
        """Tell whether something is being done about an item at this moment, or is about to be."""
        return any(each.status in _UNDER_WAY - {PlaybookStatus.PENDING} for each in self.kept)

    @property
    def returnable(self) -> tuple[PlaybookExecution, ...]:
        """Return the items that a rollback of the batch puts back."""
        return tuple(each for each in self.kept if each.can_roll_back)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing of it is under way; what left for a card of its own does not count."""
        return not any(each.status in _UNDER_WAY for each in self.kept)

    @property
    def total(self) -> int:
        """Return a number that rises with every change of an item, and each time it is noted why some stay as they are."""
        return sum(each.version for each in self.executions) + self.batch.refusals


def set_digest(batch_id: str, executions: Iterable[PlaybookExecution]) -> str:
    """Return what a decision on a set of items names: which ones, in which order, with which plan each."""
    items = [[each.execution_id, each.revision, each.plan.digest if each.plan else ""] for each in executions]
    return digest({"v": _SET_FORMAT, "batch_id": batch_id, "items": items})


def return_digest(batch_id: str, executions: Iterable[PlaybookExecution]) -> str:
    """Return what a rollback of a set of items names: which ones, and which rollback of each waited for a signature."""
    items = [
        [each.execution_id, each.revision, each.rollback.asked_version if each.rollback else 0]
        for each in executions
    ]
    return digest({"v": _SET_FORMAT, "batch_id": batch_id, "returns": items})


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCard:
    """Where a batch is shown. `drawn_total` is the `Members.total` that was drawn last.

    `drawn_at` is when that was. `attempts` counts how often `attempted_total` was begun to be drawn and not finished; it is not due again before
    `next_attempt_at`. A later one is due at once.
    """

    batch_id: str
    channel: str = ""
    message_id: str = ""
    progress_id: str = ""
    drawn_total: int = 0
    drawn_at: datetime | None = None
    attempts: int = 0
    attempted_total: int = 0
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnItem:
    """An item that is to go back: the revision of its plan, and the `asked_version` of the rollback that was shown to wait, 0 where none was."""

    execution_id: str
    revision: int
    shown: int

    @classmethod
    def of(cls, execution: PlaybookExecution) -> Self:
        """Return an item as it is shown now."""
        shown = execution.rollback.asked_version if execution.rollback else 0
        return cls(execution_id=execution.execution_id, revision=execution.revision, shown=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnOrder:
    """A rollback of a batch that a person ordered, or signed, and that is not over: exactly these items, and which process works on it."""

    batch_id: str
    actor: Actor
    ordered_at: datetime
    items: tuple[ReturnItem, ...]
    owner: str
    takeovers: int = 0


class Returns(Protocol):
    """Remembers which rollbacks of batches were ordered and are not over, so that another process can go on with them."""

    def put(self, order: ReturnOrder, event: TrailEvent) -> None:
        """Store an order; what the last rollback of the batch had left as it is, is forgotten.

        Raises:
            StateError: there is one already. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def get(self, batch_id: str) -> ReturnOrder | None:
        """Return the order that is not over; None where there is none."""

    def left(self, owner: str, now: datetime) -> list[str]:
        """Return the batches whose order is this owner's, or one's not heard of for `OWNER_LOST_AFTER`; oldest first."""

    def take_over(
        self, order: ReturnOrder, owner: str, event: TrailEvent, *, last_heard: datetime | None
    ) -> ReturnOrder:
        """Make an order another owner's, unless the former one has said anything since `last_heard`; return it.

        Raises:
            StateError: it has, or somebody was faster.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def end(self, order: ReturnOrder, refused: Mapping[str, str], event: TrailEvent) -> None:
        """Note that an order is over, and why it leaves items as they are; the batch's card is due to be drawn.

        Raises:
            StateError: somebody has taken it over, or ended it.
            TrailError: the trail cannot be written. Nothing is written.
        """


class Batches(Protocol):
    """Remembers batches. What changes several executions is one transaction with all trail entries, or nothing."""

    def create(
        self, batch: Batch, executions: Sequence[PlaybookExecution], events: Sequence[TrailEvent]
    ) -> Batch:
        """Store a batch with its executions, each as version 1; a batch of the same id is returned as stored.

        Raises:
            HeldError: something that is under way holds the resource of one of them. Nothing is written.
            StateError: something held one, and has let go of it since. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def get(self, batch_id: str) -> Batch:
        """Return a batch.

        Raises:
            NotFoundError: none goes by that id.
        """

    def members(self, batch_id: str) -> Members:
        """Return a batch with its executions.

        Raises:
            NotFoundError: none goes by that id.
        """

    def named(self, name: str) -> Members:
        """Return the one batch whose id is the name, or begins with it, in any case.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """

    def holders(self, holds: Iterable[str]) -> dict[str, str]:
        """Return which of these resources are held at this moment, and the id of the execution that holds each."""

    def save_all(
        self,
        savings: Sequence[Saving],
        events: Sequence[TrailEvent],
        *,
        exceptions: Sequence[FindingException] = (),
    ) -> list[PlaybookExecution]:
        """Store a change of each execution if every one still is as it was; return them with their new versions.

        The exceptions that rejections grant are stored with them.

        Raises:
            StateError: somebody was faster with one of them, or the transition table has no such move. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def card(self, batch_id: str) -> BatchCard:
        """Return where a batch is shown; a blank one where it is not yet.

        Raises:
            NotFoundError: none goes by that id.
        """

    def put_card(self, card: BatchCard) -> None:
        """Store where a batch is shown, or what changed about that."""

    def outdated(self, now: datetime, limit: int = 50) -> list[str]:
        """Return ids of batches whose card is missing or older than an item's state, and due; or whose outcome is to be told again."""

    def claim(self, batch_id: str, outcome: str, now: datetime) -> bool:
        """Take it upon oneself to tell what came of a batch; False where somebody did already. Committed at return."""

    def put_off(self, batch_id: str, outcome: str, *, until: datetime) -> None:
        """Give a claim back, to be tried again then."""
