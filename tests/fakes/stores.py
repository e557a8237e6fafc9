"""The stores in dictionaries, for tests that are about something else.

Each class mirrors a port of `audit.ports` or `remediation.ports` and passes the same contract suite as the
database (`tests/contract/test_stores_*.py`). They may be shared between threads. `MemoryStores` ties them
together the way `storage.Stores` does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import RLock

from audit.actor import Actor
from audit.anchors import Anchor
from audit.errors import HeldError, InputError, NotFoundError, StateError, TrailError
from audit.trail import TrailEntry, TrailEvent, append
from exporters.schedule_memory import MemorySchedules
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from remediation.ports import ANSWERER_LOST_AFTER, OWNER_LOST_AFTER, Posting, Request, notice_wait
from remediation.states import NEVER_RAN, PlaybookStatus, check_transition
from tests.fakes.audience import MemoryHomePictures, MemoryHomes, MemoryOutcomes
from tests.fakes.batches import MemoryBatches
from tests.fakes.findings import NoRegressions, NoTracker
from tests.fakes.reports import MemoryReports

__all__ = [
    "MemoryAnchors",
    "MemoryExecutions",
    "MemoryInbox",
    "MemoryPostings",
    "MemoryReports",
    "MemoryStores",
    "MemoryTrail",
]


class MemoryTrail:
    """A trail in a list. `entries` is open for tests to look at, and to tamper with."""

    def __init__(self) -> None:
        self.entries: list[TrailEntry] = []
        self._lock = RLock()

    def record(self, event: TrailEvent) -> TrailEntry:
        with self._lock:
            try:
                entry = append(self.head(), event)
            except InputError as error:
                raise TrailError("the trail cannot be written, so nothing was changed") from error
            self.entries.append(entry)
            return entry

    def record_all(self, events: Sequence[TrailEvent]) -> list[TrailEntry]:
        with self._lock:
            before = list(self.entries)
            try:
                return [self.record(event) for event in events]
            except TrailError:
                self.entries[:] = before
                raise

    def stream(self) -> Iterator[TrailEntry]:
        return iter(tuple(self.entries))

    def head(self) -> TrailEntry | None:
        return self.entries[-1] if self.entries else None


class MemoryAnchors:
    """Anchors in a list; `told` once they stand elsewhere."""

    def __init__(self, trail: MemoryTrail) -> None:
        self._trail = trail
        self._begun: list[tuple[Anchor, datetime]] = []
        self._told: set[int] = set()

    def due(self, now: datetime, *, every: timedelta) -> Anchor | None:
        head = self._trail.head()
        if self._begun:
            last, noted_at = self._begun[-1]
            if last.seq not in self._told:
                return last
            if noted_at > now - every or head is None or head.seq <= last.seq:
                return None
        if head is None:
            return None
        self._begun.append((Anchor.of(head), now))
        return Anchor.of(head)

    def told(self, anchor: Anchor) -> None:
        self._told.add(anchor.seq)


class MemoryExecutions:
    """Executions by id, each change with its entry in the given trail."""

    def __init__(self, trail: MemoryTrail | None = None) -> None:
        self.trail = trail or MemoryTrail()
        self.by_id: dict[str, PlaybookExecution] = {}
        self.owners: dict[str, datetime] = {}
        self.lock = RLock()

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        with self.lock:
            if stored := self.by_id.get(execution.execution_id):
                return stored
            self._refuse_held(execution)
            return self._store(replace(execution, version=1), event)

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        if before.status is not after.status:
            check_transition(before.status, after.status)
        if after.decisions[: len(before.decisions)] != before.decisions:
            raise StateError("a decision that was made stays on record")
        with self.lock:
            stored = self.by_id.get(before.execution_id)
            if stored is None or (stored.version, stored.status) != (before.version, before.status):
                raise StateError(f"execution {before.execution_id} has moved on meanwhile")
            self._refuse_held(after)
            return self._store(replace(after, version=before.version + 1), event)

    def _refuse_held(self, execution: PlaybookExecution) -> None:
        for other in self.by_id.values():
            if (
                execution.held
                and other.held == execution.held
                and other.execution_id != execution.execution_id
            ):
                raise HeldError(other.execution_id)

    def get(self, execution_id: str) -> PlaybookExecution:
        try:
            return self.by_id[execution_id]
        except KeyError:
            raise NotFoundError(f"there is no execution {execution_id}") from None

    def history(
        self, *, playbook_id: str | None = None, finding_id: str | None = None, limit: int = 10
    ) -> list[PlaybookExecution]:
        return self._sorted(
            lambda execution: (
                playbook_id in (None, execution.playbook_id)
                and finding_id in (None, execution.finding_id, execution.finding.fingerprint)
            )
        )[::-1][:limit]

    def waiting(self, now: datetime) -> list[PlaybookExecution]:
        return self._sorted(
            lambda execution: (
                execution.status is PlaybookStatus.APPROVED
                or (execution.status is PlaybookStatus.PENDING and execution.expires_at <= now)
            )
        )

    def ran_out(self, now: datetime, *, since: datetime) -> list[PlaybookExecution]:
        return self._sorted(
            lambda execution: (
                (execution.status is PlaybookStatus.EXPIRED and execution.expires_at >= since)
                or (execution.wakes_at is not None and execution.wakes_at <= now)
            )
        )

    def touching(self, resource: str, *, limit: int | None = 50) -> list[PlaybookExecution]:
        return self._sorted(lambda execution: execution.finding.resource == resource)[::-1][:limit]

    def beat(self, owner: str, now: datetime) -> None:
        self.owners[owner] = now

    def unfinished(self, owner: str, now: datetime) -> list[PlaybookExecution]:
        alive = {name for name, seen_at in tuple(self.owners.items()) if seen_at > now - OWNER_LOST_AFTER}
        under_way = (PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK)
        return self._sorted(
            lambda execution: execution.status in under_way and execution.owner not in alive - {owner}
        )

    def _store(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        self.trail.record(event)
        self.by_id[execution.execution_id] = execution
        return execution

    def _sorted(self, wanted: Callable[[PlaybookExecution], bool]) -> list[PlaybookExecution]:
        found = [execution for execution in tuple(self.by_id.values()) if wanted(execution)]
        return sorted(found, key=lambda execution: (execution.created_at, execution.execution_id))


class MemoryFinder:
    """Looks for the executions of a store."""

    def __init__(self, executions: MemoryExecutions) -> None:
        self._executions = executions

    def _all(self) -> list[PlaybookExecution]:
        return list(self._executions.by_id.values())

    def named(self, name: str) -> PlaybookExecution:
        wanted = name.strip().lower()
        found = [each for each in self._all() if wanted and each.execution_id.lower().startswith(wanted)]
        exact = [each for each in found if each.execution_id.lower() == wanted]
        if not found:
            raise NotFoundError(f"there is no execution “{name}”")
        if len(found) > 1 and not exact:
            raise NotFoundError(f"more than one execution begins with “{name}”")
        return (exact or found)[0]

    def pending(self, *, limit: int = 10, after: PlaybookExecution | None = None) -> list[PlaybookExecution]:
        def place(each: PlaybookExecution) -> tuple[datetime, str]:
            return each.expires_at, each.execution_id

        waiting = [each for each in self._all() if each.status is PlaybookStatus.PENDING]
        return sorted((each for each in waiting if after is None or place(each) > place(after)), key=place)[
            :limit
        ]

    def count_pending(self) -> int:
        return sum(each.status is PlaybookStatus.PENDING for each in self._all())

    def rollbacks(
        self, *, limit: int = 10, after: PlaybookExecution | None = None
    ) -> list[PlaybookExecution]:
        def place(each: PlaybookExecution) -> tuple[datetime, str]:
            return each.wakes_at or each.created_at, each.execution_id

        waiting = [each for each in self._all() if each.rollback is not None]
        return sorted((each for each in waiting if after is None or place(each) > place(after)), key=place)[
            :limit
        ]

    def ran(self, *, limit: int = 10) -> list[PlaybookExecution]:
        ran = [each for each in self._all() if each.status not in NEVER_RAN]
        return sorted(ran, key=lambda each: (each.created_at, each.execution_id))[::-1][:limit]

    def asked_by(self, person: Actor, *, limit: int = 10) -> list[PlaybookExecution]:
        def is_theirs(actor: Actor) -> bool:
            return (actor.workspace, actor.slack_id) == (person.workspace, person.slack_id)

        theirs = [each for each in self._all() if is_theirs(each.requester)]
        return sorted(theirs, key=lambda each: (each.created_at, each.execution_id))[::-1][:limit]


class MemoryExceptions:
    """Exceptions by id, on the executions whose rejections grant them."""

    def __init__(self, executions: MemoryExecutions) -> None:
        self._executions = executions
        self.by_id: dict[str, FindingException] = {}

    def grant(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        exception: FindingException,
        events: Sequence[TrailEvent],
    ) -> PlaybookExecution:
        first, *others = events
        for event in events:
            event.to_bytes()  # all can be written, or nothing is
        saved = self._executions.save(before, after, first)
        self._executions.trail.record_all(others)
        self.by_id[exception.exception_id] = exception
        return saved

    def holding(self, fingerprint: str, now: datetime) -> FindingException | None:
        held = [each for each in self.open() if each.finding.fingerprint == fingerprint and each.until > now]
        return held[-1] if held else None

    def get(self, exception_id: str) -> FindingException:
        try:
            return self.by_id[exception_id]
        except KeyError:
            raise NotFoundError(f"there is no exception {exception_id}") from None

    def open(self) -> list[FindingException]:
        still_open = [each for each in tuple(self.by_id.values()) if each.ended_at is None]
        return sorted(still_open, key=lambda each: (each.until, each.exception_id))

    def over(self, now: datetime) -> list[FindingException]:
        return [each for each in self.open() if each.until <= now]

    def ended_since(self, since: datetime) -> list[FindingException]:
        return [each for each in self.by_id.values() if each.ended_at and each.ended_at >= since]

    def end(self, exception: FindingException, event: TrailEvent, *, at: datetime, by: Actor | None) -> None:
        stored = self.get(exception.exception_id)
        if stored.ended_at is not None:
            raise StateError(f"the exception {exception.exception_id} has ended already")
        self._executions.trail.record(event)
        self.by_id[exception.exception_id] = replace(stored, ended_at=at, ended_by=by)


class MemoryNotices:
    """What was begun (when, how often) and what was told, by id."""

    def __init__(self) -> None:
        self.begun: dict[str, tuple[datetime, int]] = {}
        self.said: set[str] = set()

    def begin(self, notice_id: str, now: datetime) -> int:
        begun_at, attempts = self.begun.get(notice_id, (None, 0))
        if notice_id in self.said or (begun_at and begun_at > now - notice_wait(attempts)):
            return 0
        self.begun[notice_id] = (now, attempts + 1)
        return attempts + 1

    def told(self, notice_id: str) -> None:
        self.said.add(notice_id)

    def untold(self, notice_ids: Iterable[str]) -> list[str]:
        return [notice_id for notice_id in notice_ids if notice_id not in self.said]


class MemoryPostings:
    """Cards by execution and revision; knows the executions to tell which are outdated."""

    def __init__(self, executions: MemoryExecutions) -> None:
        self._executions = executions
        self.by_place: dict[tuple[str, int], Posting] = {}

    def postings(self, execution_id: str) -> list[Posting]:
        cards = [card for card in tuple(self.by_place.values()) if card.execution_id == execution_id]
        return sorted(cards, key=lambda card: card.revision)

    def put(self, posting: Posting) -> None:
        self.by_place[posting.execution_id, posting.revision] = posting

    def outdated(self, now: datetime, limit: int = 50) -> list[str]:
        behind = self._executions._sorted(self._is_behind)
        due = [execution for execution in behind if (self._next_attempt(execution) or now) <= now]
        due.sort(key=lambda each: (self._next_attempt(each) or each.created_at, each.execution_id))
        return [execution.execution_id for execution in due][:limit]

    def _next_attempt(self, execution: PlaybookExecution) -> datetime | None:
        card = self.by_place.get((execution.execution_id, execution.revision))
        return card.next_attempt_at if card and card.attempted_version == execution.version else None

    def _is_behind(self, execution: PlaybookExecution) -> bool:
        card = self.by_place.get((execution.execution_id, execution.revision))
        return bool(execution.channel) and (card is None or card.drawn_version < execution.version)


class MemoryInbox:
    """Requests by id; an answered one is kept as None, so that a repeat of it stays answered."""

    def __init__(self, seen: Mapping[str, datetime] | None = None) -> None:
        self.by_id: dict[str, Request | None] = {}
        self.held: dict[str, tuple[str, datetime]] = {}
        self._seen = {} if seen is None else seen

    def put(self, request: Request) -> None:
        self.by_id.setdefault(request.request_id, request)

    def get(self, request_id: str) -> Request | None:
        return self.by_id.get(request_id)

    def begin(self, request_id: str, *, owner: str, now: datetime) -> Request | None:
        request = self.by_id.get(request_id)
        if request is None or not self._is_free(request_id, owner, now):
            return None
        self.held[request_id] = (owner, now + ANSWERER_LOST_AFTER)
        self.by_id[request_id] = begun = replace(request, attempts=request.attempts + 1)
        return begun

    def _is_free(self, request_id: str, owner: str, now: datetime) -> bool:
        holder, until = self.held.get(request_id, (owner, now))
        seen_at = self._seen.get(holder)
        return holder == owner or (until <= now and not (seen_at and seen_at > now - ANSWERER_LOST_AFTER))

    def done(self, request_id: str) -> None:
        if request_id in self.by_id:
            self.by_id[request_id] = None

    def open_requests(self, owner: str, now: datetime, limit: int = 1000) -> list[str]:
        still_open = [
            request
            for request in tuple(self.by_id.values())
            if request and self._is_free(request.request_id, owner, now)
        ]
        still_open.sort(key=lambda request: (request.received_at, request.request_id))
        return [request.request_id for request in still_open][:limit]


@dataclass(frozen=True)
class MemoryStores:
    """All of them, on one trail."""

    trail: MemoryTrail = field(default_factory=MemoryTrail)
    anchors: MemoryAnchors = field(init=False)
    reports: MemoryReports = field(init=False)
    executions: MemoryExecutions = field(init=False)
    finder: MemoryFinder = field(init=False)
    postings: MemoryPostings = field(init=False)
    exceptions: MemoryExceptions = field(init=False)
    inbox: MemoryInbox = field(init=False)
    notices: MemoryNotices = field(default_factory=MemoryNotices)
    schedules: MemorySchedules = field(init=False)
    tracker: NoTracker = field(default_factory=NoTracker)
    regressions: NoRegressions = field(default_factory=NoRegressions)
    homes: MemoryHomes = field(default_factory=MemoryHomes)
    home_pictures: MemoryHomePictures = field(default_factory=MemoryHomePictures)
    outcomes: MemoryOutcomes = field(init=False)
    batches: MemoryBatches = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "anchors", MemoryAnchors(self.trail))
        object.__setattr__(self, "reports", MemoryReports(self.trail))
        object.__setattr__(self, "executions", MemoryExecutions(self.trail))
        object.__setattr__(self, "inbox", MemoryInbox(self.executions.owners))
        object.__setattr__(self, "outcomes", MemoryOutcomes(self.executions.by_id))
        object.__setattr__(self, "batches", MemoryBatches(self.executions))
        object.__setattr__(self, "finder", MemoryFinder(self.executions))
        object.__setattr__(self, "exceptions", MemoryExceptions(self.executions))
        object.__setattr__(self, "postings", MemoryPostings(self.executions))
        object.__setattr__(self, "schedules", MemorySchedules(self.trail.record))
