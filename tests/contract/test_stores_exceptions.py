"""What every `Exceptions` and every `Notices` does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import NotFoundError, StateError, TrailError
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution, Verdict
from remediation.ports import NOTICE_RETRIED_AFTER
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.samples import (
    ANALYST,
    APPROVER,
    NOW,
    a_decision,
    an_event,
    an_event_nobody_can_write,
    an_execution,
)
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
DAY = timedelta(days=1)


def rejected(execution: PlaybookExecution) -> PlaybookExecution:
    decision = a_decision(execution, Verdict.REJECT)
    return execution.moved(PlaybookStatus.REJECTED, decisions=(*execution.decisions, decision))


def an_exception(execution: PlaybookExecution, name: str = "e-1", **changes: object) -> FindingException:
    exception = FindingException(
        exception_id=name,
        execution_id=execution.execution_id,
        finding=execution.finding,
        owner=APPROVER,
        reason="moved in spring",
        granted_at=NOW,
        until=NOW + DAY,
    )
    return replace(exception, **changes)  # type: ignore[arg-type]


def granted(stores: AnyStores, name: str = "exec-1", **changes: object) -> FindingException:
    before = stores.executions.create(an_execution(name, holds=name), an_event())
    exception = an_exception(before, f"e-{name}", **changes)
    stores.exceptions.grant(before, rejected(before), exception, [an_event("a"), an_event("b")])
    return exception


def test_an_exception_is_stored_with_its_rejection_and_both_entries(stores: AnyStores) -> None:
    exception = granted(stores)
    assert stores.executions.get("exec-1").status is PlaybookStatus.REJECTED
    assert stores.exceptions.get("e-exec-1") == exception
    assert stores.exceptions.holding(exception.finding.fingerprint, NOW) == exception
    assert len(list(stores.trail.stream())) == 3


def test_without_its_entry_neither_is_stored(stores: AnyStores) -> None:
    before = stores.executions.create(an_execution(), an_event())
    for events in ([an_event_nobody_can_write(), an_event()], [an_event(), an_event_nobody_can_write()]):
        with pytest.raises((TrailError, Exception), match="trail|form"):
            stores.exceptions.grant(before, rejected(before), an_exception(before), events)
    assert stores.executions.get("exec-1") == before
    assert stores.exceptions.open() == []
    assert len(list(stores.trail.stream())) == 1


def test_a_rejection_that_came_too_late_grants_nothing(stores: AnyStores) -> None:
    before = stores.executions.create(an_execution(), an_event())
    stores.executions.save(before, replace(before, owner="faster"), an_event())
    with pytest.raises(StateError):
        stores.exceptions.grant(before, rejected(before), an_exception(before), [an_event()])
    assert stores.exceptions.open() == []


def test_it_holds_until_its_time_and_not_a_moment_longer(stores: AnyStores) -> None:
    exception = granted(stores)
    fingerprint, moment = exception.finding.fingerprint, timedelta(microseconds=1)
    assert stores.exceptions.holding(fingerprint, exception.until - moment) == exception
    assert stores.exceptions.holding(fingerprint, exception.until) is None
    assert stores.exceptions.holding("another", NOW) is None
    assert stores.exceptions.over(exception.until - moment) == []
    assert stores.exceptions.over(exception.until) == [exception]


def test_it_ends_once(stores: AnyStores) -> None:
    exception = granted(stores)
    stores.exceptions.end(exception, an_event(), at=NOW, by=ANALYST)
    with pytest.raises(StateError, match="ended already"):
        stores.exceptions.end(exception, an_event(), at=NOW + DAY, by=None)
    assert stores.exceptions.get("e-exec-1") == replace(exception, ended_at=NOW, ended_by=ANALYST)
    assert stores.exceptions.holding(exception.finding.fingerprint, NOW) is None
    assert stores.exceptions.over(exception.until) == []
    assert stores.exceptions.ended_since(NOW) == [stores.exceptions.get("e-exec-1")]
    assert stores.exceptions.ended_since(NOW + DAY) == []
    assert len(list(stores.trail.stream())) == 4


def test_an_end_nobody_can_write_down_ends_nothing(stores: AnyStores) -> None:
    exception = granted(stores)
    with pytest.raises((TrailError, Exception), match="trail|form"):
        stores.exceptions.end(exception, an_event_nobody_can_write(), at=NOW, by=None)
    assert stores.exceptions.open() == [exception]


def test_the_one_that_ends_first_is_first(stores: AnyStores) -> None:
    later, sooner = granted(stores, "exec-1", until=NOW + 2 * DAY), granted(stores, "exec-2")
    assert stores.exceptions.open() == [sooner, later]
    with pytest.raises(NotFoundError):
        stores.exceptions.get("e-none")


def test_a_notice_is_taken_on_once_until_it_may_have_failed(stores: AnyStores) -> None:
    assert stores.notices.begin("reminder:x:1", NOW) == 1
    assert stores.notices.begin("reminder:x:1", NOW + NOTICE_RETRIED_AFTER - timedelta(seconds=1)) == 0
    assert stores.notices.begin("reminder:x:2", NOW) == 1
    assert stores.notices.begin("reminder:x:1", NOW + NOTICE_RETRIED_AFTER) == 2


def test_what_was_told_is_never_told_again(stores: AnyStores) -> None:
    stores.notices.begin("a:x:1", NOW)
    assert stores.notices.untold(["b:x:1", "a:x:1"]) == ["b:x:1", "a:x:1"]
    stores.notices.told("a:x:1")
    assert stores.notices.untold(["b:x:1", "a:x:1"]) == ["b:x:1"]
    assert stores.notices.untold([]) == []
    assert stores.notices.begin("a:x:1", NOW + DAY) == 0


def test_what_ran_out_lately_is_found(stores: AnyStores) -> None:
    before = stores.executions.create(an_execution(), an_event())
    assert stores.executions.ran_out(before.expires_at, since=NOW) == []
    expired = stores.executions.save(before, before.moved(PlaybookStatus.EXPIRED), an_event())
    assert stores.executions.ran_out(NOW, since=before.expires_at) == [expired]
    assert stores.executions.ran_out(NOW, since=before.expires_at + DAY) == []


def test_what_is_to_be_looked_at_again_is_found_then(stores: AnyStores) -> None:
    new = an_execution()
    glass = replace(a_decision(new), verdict=Verdict.BREAK_GLASS)
    waking = stores.executions.create(replace(new, decisions=(glass,), review_due_at=NOW + DAY), an_event())
    assert stores.executions.ran_out(glass.at - timedelta(seconds=1), since=NOW) == []
    assert stores.executions.ran_out(glass.at, since=NOW) == [waking], "everybody is to hear of it at once"
    assert stores.executions.ran_out(NOW + DAY, since=NOW) == [waking]
    reviewed = replace(waking, decisions=(glass, replace(glass, verdict=Verdict.REVIEWED)))
    stores.executions.save(waking, reviewed, an_event())
    assert stores.executions.ran_out(NOW + DAY, since=NOW) == []


def test_a_notice_rests_longer_after_each_attempt(stores: AnyStores) -> None:
    now = NOW
    for attempt, wait_min in enumerate((2, 4, 8, 16, 32, 60, 60), start=1):
        assert stores.notices.begin("a:x:1", now) == attempt
        assert stores.notices.begin("a:x:1", now + timedelta(minutes=wait_min, seconds=-1)) == 0
        now += timedelta(minutes=wait_min)
