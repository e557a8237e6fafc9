"""What remediation needs of the outside: memory, people, a voice, hands."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from audit.actor import Actor
from audit.trail import TrailEvent
from remediation.excepted import FindingException
from remediation.execution import Glimpse, PlaybookExecution
from remediation.states import PlaybookStatus

# Longer than the longest call to a cloud may take with all its retries, so that nobody is taken for dead in the middle of one.
OWNER_LOST_AFTER = timedelta(seconds=90)
# Many times as long as between two signs of life. Shorter than the above: a person waits, and what two processes answer is done once.
ANSWERER_LOST_AFTER = timedelta(seconds=30)
# Long enough that whoever took it on has given up, or is dead. Doubled with each attempt, up to the longest wait.
NOTICE_RETRIED_AFTER = timedelta(minutes=2)
_NOTICE_LONGEST_WAIT = timedelta(hours=1)
# A card, an outcome or whatever else is told in Slack waits no longer than this for its next attempt.
LONGEST_REST = timedelta(hours=1)
# About a day's worth of attempts: after that it is told elsewhere that it could not be told.
MOST_NOTICE_ATTEMPTS = 28


def notice_wait(attempts: int) -> timedelta:
    """Return how long a notice rests after so many attempts: 2 min, 4 min, 8 min and so on, an hour at most."""
    return min(NOTICE_RETRIED_AFTER * (1 << min(max(attempts - 1, 0), 10)), _NOTICE_LONGEST_WAIT)


class ExecutionStore(Protocol):
    """Executions, each change in one transaction with its trail entry: no trail, no change."""

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        """Store a new execution as version 1; one with the same id is returned as stored, and nothing is written.

        Raises:
            HeldError: another one that is under way holds the same resource. Nothing is written.
        """

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        """Store `after` if the stored one still is `before`; return it with its new version.

        Raises:
            StateError: somebody was faster, or the transition table has no such move. Nothing is written.
            HeldError: it would begin anew (to roll back) while another one holds the same resource. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def note(self, execution: PlaybookExecution, event: TrailEvent) -> None:
        """Put an entry about an execution that is under way on the trail, and change nothing about it: no version, no race.

        Raises:
            StateError: it is over by now, and holds nothing. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """

    def get(self, execution_id: str) -> PlaybookExecution:
        """Return an execution.

        Raises:
            NotFoundError: none goes by that id.
        """

    def history(
        self,
        *,
        playbook_id: str | None = None,
        finding_id: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[PlaybookExecution]:
        """Return executions, newest first, from an offset on."""

    def glimpses(
        self,
        status: PlaybookStatus,
        *,
        after: datetime | None = None,
        until: datetime | None = None,
        untold: str = "",
        number: str = "",
    ) -> list[Glimpse]:
        """Return what there is to know of the executions in a state whose time ends later than `after` and no later than `until`.

        With the kind of a notice (`untold`) and its number, empty for the revision, it may leave out those whose notice was told:
        never one that shares an entry with others, for which one is told for all. `Notices.untold` has the last word.
        """

    def ran_out(self, now: datetime, *, since: datetime) -> list[PlaybookExecution]:
        """Return what expired undecided since a moment, and what is to be looked at again by now (`wakes_at`)."""

    def touching(self, *names: str, limit: int | None = 50) -> list[PlaybookExecution]:
        """Return the executions on a resource by its `resource_names`, newest first; all of them without a limit."""

    def beat(self, owner: str, now: datetime) -> None:
        """Note that a process is alive."""

    def heard(self) -> Mapping[str, datetime]:
        """Return what those who have something under way said last with `beat`; not those who never did."""

    def unfinished(self, owner: str, now: datetime) -> list[PlaybookExecution]:
        """Return what is `RUNNING` or `ROLLING_BACK` under this owner, or one not heard of within `OWNER_LOST_AFTER` of now.

        By clocks on walls, that is: it says what to look at. Whether an owner is lost says `remediation.watch`.
        """

    def take_over(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        event: TrailEvent,
        *,
        last_heard: datetime | None,
    ) -> PlaybookExecution:
        """Store `after`, in which another owner has it, as `save` does, unless the former one has said anything since `last_heard`.

        Raises:
            StateError: it has, or somebody was faster. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone in the workspace, read just now. `groups` holds the ids of those asked about that they belong to."""

    actor: Actor
    is_deleted: bool = False
    is_bot: bool = False
    is_guest: bool = False
    is_stranger: bool = False
    groups: frozenset[str] = frozenset()


class ExceptionGate(Protocol):
    """What requests and decisions need of the exceptions."""

    def grant(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        exception: FindingException,
        events: Sequence[TrailEvent],
    ) -> PlaybookExecution:
        """Store a rejection and the exception with it: both with all events, or nothing.

        Raises:
            StateError: somebody was faster. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
            RefusedError: this program keeps no exceptions.
        """

    def holding(self, fingerprint: str, now: datetime) -> FindingException | None:
        """Return the exception that holds for a finding at this moment."""


class Exceptions(ExceptionGate, Protocol):
    """Remembers which findings are left as they are. Each change is one transaction with its trail entries."""

    def get(self, exception_id: str) -> FindingException:
        """Return an exception.

        Raises:
            NotFoundError: none goes by that id.
        """

    def open(self, *, limit: int | None = None, offset: int = 0) -> list[FindingException]:
        """Return those that nothing has ended yet, the one that ends first before the others; a page of them, or all."""

    def over(self, now: datetime) -> list[FindingException]:
        """Return those whose time is over and that nobody has ended yet."""

    def ended_since(self, since: datetime) -> list[FindingException]:
        """Return those that ended since a moment."""

    def end(self, exception: FindingException, event: TrailEvent, *, at: datetime, by: Actor | None) -> None:
        """End an exception, once.

        Raises:
            StateError: it has ended already. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """


class Notices(Protocol):
    """Remembers what people were told, so that several processes and restarts tell each thing once."""

    def begin(self, notice_id: str, now: datetime) -> int:
        """Take on telling something; committed at return.

        Returns:
            1 for the first attempt; more where an earlier one may or may not have got through, so that it has to be looked
            for first; 0 where it was said, or somebody is at it (for `notice_wait`). More than `MOST_NOTICE_ATTEMPTS`: it is
            to be given up, and that is to be told.
        """

    def told(self, notice_id: str) -> None:
        """Note that it was said."""

    def untold(self, notice_ids: Iterable[str]) -> list[str]:
        """Return those that nobody has been told yet, in their order."""


class Directory(Protocol):
    """Who people are. Read fresh for each decision, never from a cache."""

    def look_up(self, actor: Actor, *, groups: frozenset[str]) -> Person:
        """Return the person behind an actor, and which of the groups they belong to.

        Raises:
            RefusedError: nobody can be found, or the directory does not answer: a gate that cannot read stays shut.
        """


class Notifier(Protocol):
    """Tells people. All it says is drawn from the stored state, so saying it again is harmless."""

    def changed(self, execution_id: str) -> None:
        """Have the execution's card and its thread brought up to date, soon. Never raises."""


class Messenger(Protocol):
    """Speaks in the channels where people talk."""

    def post(self, channel: str, text: str) -> str:
        """Post a text once, and never again by itself; return where it stands. Nothing in it is read as a command.

        Raises:
            ActionError: it was not taken, or nobody can tell whether it was.
        """


class Silent:
    """A notifier for programs that read the return value."""

    def changed(self, execution_id: str) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Where a revision of an execution is shown, and which version of it was drawn last.

    `attempts` counts how often `attempted_version` was begun to be drawn and not finished; it is not due again before
    `next_attempt_at`. A later version is due at once.
    """

    execution_id: str
    revision: int
    channel: str
    message_id: str
    progress_id: str = ""
    drawn_version: int = 0
    attempts: int = 0
    attempted_version: int = 0
    next_attempt_at: datetime | None = None


class Postings(Protocol):
    """Remembers cards, so that any process can bring them up to date."""

    def postings(self, execution_id: str) -> list[Posting]:
        """Return an execution's cards, oldest revision first."""

    def put(self, posting: Posting) -> None:
        """Store a card, or what changed about it."""

    def outdated(self, now: datetime, limit: int = 50) -> list[str]:
        """Return ids of executions whose newest card is missing or older than their state, and due, the longest due first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something a person asked for, kept until it is answered.

    `kind` is `command`, `action` or `view`; `payload` what is needed to answer, JSON values only and no secret.
    `attempts` counts how often somebody has begun to answer it.
    """

    request_id: str
    kind: str
    actor: Actor
    received_at: datetime
    payload: Mapping[str, object] = field(default_factory=dict)
    attempts: int = 0


class Inbox(Protocol):
    """Requests that were acknowledged and are still to be answered."""

    def put(self, request: Request) -> None:
        """Store a request; the same id twice is one request."""

    def put_all(self, requests: Sequence[Request]) -> list[Exception | None]:
        """Store several at once; return, in their order, what kept each from being stored. The others are."""

    def get(self, request_id: str) -> Request | None:
        """Return a request that is still to be answered."""

    def begin(self, request_id: str, *, owner: str, now: datetime) -> Request | None:
        """Take a request for an owner, count an attempt and return the request with it. Committed at return.

        Nobody else gets it for `ANSWERER_LOST_AFTER`, nor afterwards while the owner is heard of (`ExecutionStore.beat`). The
        owner itself gets it again at any time: a process knows what it is doing.

        Returns:
            None where it is answered already, or another owner has it.
        """

    def done(self, request_id: str) -> None:
        """Forget a request's payload: it is answered."""

    def open_requests(
        self, owner: str, now: datetime, limit: int = 1000, *, kinds: Collection[str] | None = None
    ) -> list[str]:
        """Return the ids of requests still to be answered that this owner would get, oldest first."""


class Dispatcher(Protocol):
    """Hands: does `(kind, id)` soon, in another thread or process. May be given the same work twice."""

    def submit(self, kind: str, work_id: str) -> None:
        """Queue work. Never blocks for long."""
