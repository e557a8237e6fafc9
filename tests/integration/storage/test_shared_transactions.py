"""What comes at the same time shares a transaction, and each is stored or refused as if it had come alone."""

import json
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, event

from audit.errors import HeldError, StateError, TrailError
from audit.trail import TrailEntry, breaks
from remediation.execution import PlaybookExecution
from remediation.ports import Request
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.gathering import PATIENCE_S, gathering
from tests.fakes.samples import (
    ANALYST,
    NOW,
    a_decision,
    an_event,
    an_event_nobody_can_write,
    an_execution,
)


def approved(execution: PlaybookExecution, owner: str) -> PlaybookExecution:
    return execution.moved(PlaybookStatus.APPROVED, decisions=(a_decision(execution),), owner=owner)


def met(brought: list[Future[Any]]) -> list[type]:
    return [type(each.exception(PATIENCE_S)) for each in brought]


def test_of_clicks_on_one_execution_the_first_wins_and_another_is_not_disturbed(stores: Stores) -> None:
    one, other = (stores.executions.create(an_execution(name), an_event()) for name in ("one", "other"))
    commits: list[Connection] = []
    event.listen(stores.database.engine, "commit", commits.append)
    with gathering(stores.database) as bring:
        brought = [
            bring(stores.executions.save, seen, approved(seen, owner), an_event("execution.approved"))
            for seen, owner in ((one, "first"), (one, "second"), (other, "alone"), (one, "third"))
        ]
    assert met(brought) == [type(None), StateError, type(None), StateError]
    assert len(commits) == 1
    assert stores.executions.get("one") == brought[0].result()
    assert stores.executions.get("other") == brought[2].result()
    assert [stores.executions.get(name).owner for name in ("one", "other")] == ["first", "alone"]
    entries = list(stores.trail.stream())
    kinds = Counter(json.loads(entry.body)["kind"] for entry in entries)
    assert kinds == {"execution.requested": 2, "execution.approved": 2}
    assert list(breaks(entries)) == []


def test_of_two_that_want_one_resource_the_second_is_refused(stores: Stores) -> None:
    with gathering(stores.database) as bring:
        brought = [
            bring(stores.executions.create, an_execution(name, holds=holds), an_event())
            for name, holds in (("one", "bucket"), ("two", "bucket"), ("three", "door"))
        ]
    assert met(brought) == [type(None), HeldError, type(None)]
    assert {each.execution_id for each in stores.executions.history()} == {"one", "three"}
    assert len(list(stores.trail.stream())) == 2


def test_a_change_whose_entry_cannot_be_written_is_undone_alone(stores: Stores) -> None:
    seen = [stores.executions.create(an_execution(name), an_event()) for name in ("one", "two", "three")]
    events = (an_event(), an_event_nobody_can_write(), an_event())
    with gathering(stores.database) as bring:
        brought = [
            bring(stores.executions.save, before, replace(before, owner="me"), about)
            for before, about in zip(seen, events, strict=True)
        ]
    assert met(brought) == [type(None), TrailError, type(None)]
    assert [stores.executions.get(name).owner for name in ("one", "two", "three")] == ["me", "", "me"]
    assert list(breaks(stores.trail.stream())) == []


def test_one_request_begun_twice_counts_twice(stores: Stores) -> None:
    begin = partial(stores.inbox.begin, owner="boot-a", now=NOW)
    for name in ("r1", "r2"):
        stores.inbox.put(
            Request(request_id=name, kind="action", actor=ANALYST, received_at=NOW, payload={"for": name})
        )
    with gathering(stores.database) as bring:
        brought = [bring(begin, name) for name in ("r1", "r2", "r1", "r3")]
    begun = [each.result(PATIENCE_S) for each in brought]
    assert [(each.request_id, each.attempts) for each in begun if each] == [("r1", 1), ("r2", 1), ("r1", 2)]
    assert begun[3] is None


def test_each_owner_gets_what_it_was_first_to_begin(stores: Stores) -> None:
    for name in ("r1", "r2"):
        stores.inbox.put(Request(request_id=name, kind="action", actor=ANALYST, received_at=NOW))
    wanted = (("boot-a", "r1"), ("boot-b", "r2"))
    with gathering(stores.database) as bring:
        brought = [bring(partial(stores.inbox.begin, owner=owner, now=NOW), name) for owner, name in wanted]
    assert all(each.result(PATIENCE_S) for each in brought)
    for owner, name in wanted:
        assert stores.inbox.open_requests(owner, NOW) == [name]


def test_the_trail_is_one_chain_whoever_shares_a_commit(stores: Stores) -> None:
    def record(number: int) -> list[TrailEntry]:
        return stores.trail.record_all([an_event(number=number, part=part) for part in range(number % 3)])

    with ThreadPoolExecutor(20) as pool:
        told = [entry for entries in pool.map(record, range(100)) for entry in entries]
    entries = list(stores.trail.stream())
    assert sorted(told, key=lambda entry: entry.seq) == entries
    assert len({entry.body for entry in entries}) == len(entries) == 99
    assert list(breaks(entries)) == []
