"""What people are shown and what they asked for, in dictionaries; see `tests.fakes.stores`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import orjson

from audit.errors import CountersignError
from audit.waiting import has_come, has_passed
from remediation.execution import PlaybookExecution
from remediation.ports import ANSWERER_LOST_AFTER, LONGEST_REST, Posting, Request, notice_wait
from tests.fakes.executions import MemoryExecutions


class MemoryNotices:
    """What was begun (when, how often) and what was told, by id."""

    def __init__(self) -> None:
        self.begun: dict[str, tuple[datetime, int]] = {}
        self.said: set[str] = set()

    def begin(self, notice_id: str, now: datetime) -> int:
        begun_at, attempts = self.begun.get(notice_id, (None, 0))
        if begun_at and not has_passed(begun_at, now, span=notice_wait(attempts)):
            return 0
        if notice_id in self.said:
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
        due = [
            execution
            for execution in behind
            if has_come(self._next_attempt(execution) or now, now, longest=LONGEST_REST)
        ]
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
        orjson.dumps(
            (request.request_id, request.actor.to_dict(), dict(request.payload))
        )  # raises as a database does
        self.by_id.setdefault(request.request_id, request)

    def put_all(self, requests: Sequence[Request]) -> list[Exception | None]:
        return [self._attempt(request) for request in requests]

    def _attempt(self, request: Request) -> Exception | None:
        try:
            self.put(request)
        except (CountersignError, TypeError) as error:
            return error
        return None

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
        is_lost = seen_at is None or has_passed(seen_at, now, span=ANSWERER_LOST_AFTER)
        return holder == owner or (is_lost and has_come(until, now, longest=ANSWERER_LOST_AFTER))

    def done(self, request_id: str) -> None:
        if request_id in self.by_id:
            self.by_id[request_id] = None

    def open_requests(
        self, owner: str, now: datetime, limit: int = 1000, *, kinds: Collection[str] | None = None
    ) -> list[str]:
        still_open = [
            request
            for request in tuple(self.by_id.values())
            if request
            and (kinds is None or request.kind in kinds)
            and self._is_free(request.request_id, owner, now)
        ]
        still_open.sort(key=lambda request: (request.received_at, request.request_id))
        return [request.request_id for request in still_open][:limit]


class LockedInbox(MemoryInbox):
    """Takes nothing while others hold the database."""

    is_locked = False

    def put(self, request: Request) -> None:
        if self.is_locked:
            raise CountersignError("the database is locked")
        super().put(request)
