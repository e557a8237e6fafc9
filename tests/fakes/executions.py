"""Executions, and what is granted about them, in dictionaries; see `tests.fakes.stores`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock

from audit.actor import Actor
from audit.errors import HeldError, NotFoundError, StateError
from audit.trail import TrailEvent
from remediation.excepted import FindingException
from remediation.execution import Glimpse, PlaybookExecution, check_change, glimpses_between
from remediation.lookup import PendingCount
from remediation.pending_query import ALL_PENDING, PendingQuery, Signer, entry_place
from remediation.ports import OWNER_LOST_AFTER
from remediation.rules import Rule, first_fitting
from remediation.states import NEVER_RAN, PlaybookStatus
from tests.fakes.trail import MemoryTrail


class MemoryExecutions:
    """Executions by id, each change with its entry in the given trail."""

    def __init__(self, trail: MemoryTrail | None = None) -> None:
        self.trail = trail or MemoryTrail()
        self.by_id: dict[str, PlaybookExecution] = {}
        self.owners: dict[str, datetime] = {}
        self.lock = RLock()
        self.returning: Callable[[], set[str]] = set  # the owners of rollbacks of batches

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        with self.lock:
            if stored := self.by_id.get(execution.execution_id):
                return stored
            self._refuse_held(execution)
            return self._store(replace(execution, version=1), event)

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        check_change(before, after)
        with self.lock:
            stored = self.by_id.get(before.execution_id)
            if stored is None or (stored.version, stored.status) != (before.version, before.status):
                raise StateError(f"execution {before.execution_id} has moved on meanwhile")
            self._refuse_held(after)
            return self._store(replace(after, version=before.version + 1), event)

    def note(self, execution: PlaybookExecution, event: TrailEvent) -> None:
        with self.lock:
            if not self.by_id[execution.execution_id].held:
                raise StateError(f"execution {execution.execution_id} is over by now")
            self.trail.record(event)

    def take_over(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        event: TrailEvent,
        *,
        last_heard: datetime | None,
    ) -> PlaybookExecution:
        with self.lock:
            self.refuse_heard_since(before.owner, last_heard)
            return self.save(before, after, event)

    def refuse_heard_since(self, owner: str, last_heard: datetime | None) -> None:
        if self.owners.get(owner) != last_heard:
            raise StateError(f"{owner} is alive")

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
        self,
        *,
        playbook_id: str | None = None,
        finding_id: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[PlaybookExecution]:
        return self._sorted(
            lambda execution: (
                playbook_id in (None, execution.playbook_id)
                and finding_id in (None, execution.finding_id, execution.finding.fingerprint)
            )
        )[::-1][offset : offset + limit]

    def glimpses(
        self,
        status: PlaybookStatus,
        *,
        after: datetime | None = None,
        until: datetime | None = None,
        untold: str = "",
        number: str = "",
    ) -> list[Glimpse]:
        found = [each.glimpse for each in tuple(self.by_id.values()) if each.status is status]
        return glimpses_between(found, after=after, until=until)

    def ran_out(self, now: datetime, *, since: datetime) -> list[PlaybookExecution]:
        return self._sorted(
            lambda execution: (
                (execution.status is PlaybookStatus.EXPIRED and execution.expires_at >= since)
                or (execution.wakes_at is not None and execution.wakes_at <= now)
            )
        )

    def touching(self, *names: str, limit: int | None = 50) -> list[PlaybookExecution]:
        return self._sorted(lambda execution: execution.resource_names[0] in names)[::-1][:limit]

    def beat(self, owner: str, now: datetime) -> None:
        self.owners[owner] = now

    def heard(self) -> Mapping[str, datetime]:
        under_way = (PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK)
        at_work = {each.owner for each in tuple(self.by_id.values()) if each.status in under_way}
        at_work |= self.returning()
        return {name: said for name, said in tuple(self.owners.items()) if name in at_work}

    def unfinished(self, owner: str, now: datetime) -> list[PlaybookExecution]:
        owners = tuple(self.owners.items())
        alive = {name for name, seen_at in owners if abs(seen_at - now) < OWNER_LOST_AFTER}
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

    def pending(self, query: PendingQuery = ALL_PENDING, *, limit: int = 10) -> list[PlaybookExecution]:
        return self._waiting(query)[:limit]

    def entries(self, query: PendingQuery, *, limit: int = 10, offset: int = 0) -> list[PlaybookExecution]:
        first: dict[str, PlaybookExecution] = {}
        for each in self._waiting(query):
            first.setdefault(each.entry, each)
        return list(first.values())[offset : offset + limit]

    def count_pending(self) -> int:
        return len(self._waiting(ALL_PENDING))

    def count_entries(self, query: PendingQuery) -> PendingCount:
        found = self._waiting(query)
        return PendingCount(len(found), len({each.entry for each in found}))

    def _waiting(self, query: PendingQuery) -> list[PlaybookExecution]:
        waiting = [each for each in self._all() if each.status is PlaybookStatus.PENDING]
        return sorted((each for each in waiting if _matches(each, query)), key=entry_place)

    def rollbacks(
        self, *, limit: int = 10, after: PlaybookExecution | None = None, signer: Signer | None = None
    ) -> list[PlaybookExecution]:
        def place(each: PlaybookExecution) -> tuple[datetime, str]:
            return each.wakes_at or each.created_at, each.execution_id

        waiting = [each for each in self._all() if each.rollback is not None]
        return sorted(
            (
                each
                for each in waiting
                if (after is None or place(each) > place(after))
                and (signer is None or _decides(signer, each))
            ),
            key=place,
        )[:limit]

    def deciding_rules(self, rules: Sequence[Rule]) -> frozenset[int | None]:
        waits = [each for each in self._all() if each.status is PlaybookStatus.PENDING or each.rollback]
        return frozenset(_place(rules, each) for each in waits)

    def ran(self, *, limit: int = 10) -> list[PlaybookExecution]:
        ran = [each for each in self._all() if each.status not in NEVER_RAN]
        return sorted(ran, key=lambda each: (each.created_at, each.execution_id))[::-1][:limit]

    def asked_by(self, person: Actor, *, limit: int = 10) -> list[PlaybookExecution]:
        def is_theirs(actor: Actor) -> bool:
            named = person.workspace and person.slack_id
            return bool(named) and (actor.workspace, actor.slack_id) == (person.workspace, person.slack_id)

        theirs = [each for each in self._all() if is_theirs(each.requester)]
        return sorted(theirs, key=lambda each: (each.created_at, each.execution_id))[::-1][:limit]


def _place(rules: Sequence[Rule], execution: PlaybookExecution) -> int | None:
    return first_fitting(tuple(rules), execution.finding, execution.playbook_id, execution.finding.account_id)


def _decides(signer: Signer, execution: PlaybookExecution) -> bool:
    return _place(signer.rules, execution) in signer.places


def _matches(execution: PlaybookExecution, query: PendingQuery) -> bool:
    finding, playbooks = execution.finding, {name.casefold() for name in query.playbooks}
    return (
        (not query.severities or finding.severity in query.severities)
        and (not query.accounts or finding.account_id in query.accounts)
        and (not playbooks or execution.playbook_id.casefold() in playbooks)
        and (query.signer is None or _may_sign(execution, query.signer))
    )


def _may_sign(execution: PlaybookExecution, signer: Signer) -> bool:
    is_own = signer.actor.is_same_person(execution.requester) and not signer.signs_own
    has_signed = any(signer.actor.is_same_person(each.actor) for each in execution.approvals)
    is_late = execution.expires_at <= signer.now
    return _decides(signer, execution) and not (is_own or has_signed or is_late)


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

    def open(self, *, limit: int | None = None, offset: int = 0) -> list[FindingException]:
        still_open = [each for each in tuple(self.by_id.values()) if each.ended_at is None]
        in_order = sorted(still_open, key=lambda each: (each.until, each.exception_id))
        return in_order[offset:][:limit]

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
