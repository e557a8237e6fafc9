"""A clock that was a day ahead, and is right again: what it stored makes nothing wait for a day."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.anchors import Anchor
from audit.waiting import CLOCKS_DIFFER
from exporters.schedules import LONGEST_REST as LONGEST_FIRE_REST
from remediation.aftercare import Recheck, RecheckVerdict
from remediation.audience import HOME_EVERY
from remediation.home_pictures import KEPT_AFTER_REPLACED
from remediation.ports import ANSWERER_LOST_AFTER, LONGEST_REST, NOTICE_RETRIED_AFTER, Request
from remediation.states import PlaybookStatus
from storage import Stores
from storage.lifecycle_tables import RegressionRow
from tests.contract.test_stores_audience import MINE
from tests.contract.test_stores_batches import create
from tests.contract.test_stores_cards_and_inbox import a_card
from tests.contract.test_stores_schedules import a_schedule, claimed
from tests.databases import stores_in_memory
from tests.fakes.samples import ANALYST, NOW, a_finding, an_event, an_execution
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
AHEAD = NOW + timedelta(days=1)
BIT = timedelta(seconds=5)
DONE = PlaybookStatus.COMPLETED


def test_a_click_is_answered_by_another_when_its_answerer_is_dead(stores: AnyStores) -> None:
    stores.inbox.put(Request(request_id="q", kind="action", actor=ANALYST, received_at=NOW, payload={"a": 1}))
    stores.executions.beat("boot-1", AHEAD)
    assert stores.inbox.begin("q", owner="boot-1", now=AHEAD)
    assert stores.inbox.open_requests("boot-2", NOW) == ["q"]
    begun = stores.inbox.begin("q", owner="boot-2", now=NOW)
    assert begun is not None
    assert begun.attempts == 2


@pytest.mark.parametrize("ahead", [BIT, CLOCKS_DIFFER - BIT])
def test_clocks_that_differ_a_little_take_nothing_away(stores: AnyStores, ahead: timedelta) -> None:
    stores.inbox.put(Request(request_id="q", kind="action", actor=ANALYST, received_at=NOW, payload={"a": 1}))
    stores.executions.beat("boot-1", NOW + ahead)
    assert stores.inbox.begin("q", owner="boot-1", now=NOW + ahead)
    assert stores.inbox.begin("q", owner="boot-2", now=NOW) is None
    stores.notices.begin("a:x:1", NOW + ahead)
    assert stores.notices.begin("a:x:1", NOW) == 0
    fire = claimed(stores)
    assert stores.schedules.begin(fire.fire_id, NOW + ahead, until=NOW + ahead + LONGEST_FIRE_REST)
    assert stores.schedules.begin(fire.fire_id, NOW, until=NOW) is None


def test_a_request_whose_owner_is_not_heard_of_any_more_waits_its_usual_time(stores: AnyStores) -> None:
    stores.inbox.put(Request(request_id="q", kind="action", actor=ANALYST, received_at=NOW, payload={"a": 1}))
    assert stores.inbox.begin("q", owner="boot-1", now=NOW + CLOCKS_DIFFER)
    assert stores.inbox.begin("q", owner="boot-2", now=NOW) is None
    assert stores.inbox.begin("q", owner="boot-2", now=NOW + CLOCKS_DIFFER + ANSWERER_LOST_AFTER)


def test_a_notice_is_tried_again(stores: AnyStores) -> None:
    assert stores.notices.begin("a:x:1", AHEAD) == 1
    assert stores.notices.begin("a:x:1", NOW) == 2
    assert stores.notices.begin("a:x:1", NOW + NOTICE_RETRIED_AFTER) == 0


def test_the_head_of_the_trail_is_noted(stores: AnyStores) -> None:
    every = timedelta(hours=1)
    stores.trail.record(an_event())
    first = stores.anchors.due(AHEAD, every=every)
    assert first is not None
    again = stores.anchors.due(NOW, every=every)
    assert again == replace(first, attempt=2), "it may not stand anywhere"
    assert stores.anchors.due(NOW, every=every) is None, "somebody is at it"
    stores.anchors.told(first.anchor)
    second = Anchor.of(stores.trail.record(an_event(number=2)))
    due = stores.anchors.due(NOW, every=every)
    assert due is not None
    assert due.anchor == second
    stores.anchors.told(second)
    stores.trail.record(an_event(number=3))
    assert stores.anchors.due(NOW + every - BIT, every=every) is None


def test_a_fire_is_attempted(stores: AnyStores) -> None:
    fire = claimed(stores)
    assert stores.schedules.begin(fire.fire_id, AHEAD, until=AHEAD)
    assert stores.schedules.waiting(NOW) == [fire.fire_id]
    assert stores.schedules.begin(fire.fire_id, NOW, until=NOW + LONGEST_FIRE_REST)
    assert stores.schedules.waiting(NOW) == []


def test_a_schedule_whose_slots_were_dealt_with_ahead_is_looked_at(stores: AnyStores) -> None:
    schedule = a_schedule(now=AHEAD)
    stores.schedules.add(schedule, an_event())
    assert stores.schedules.due(NOW) == [schedule]
    assert stores.schedules.due(AHEAD) == []


def test_a_card_is_drawn(stores: AnyStores) -> None:
    created = stores.executions.create(an_execution(), an_event())
    card = a_card(created.execution_id, drawn_version=0)
    tried = replace(card, attempts=1, attempted_version=created.version)
    stores.postings.put(replace(tried, next_attempt_at=AHEAD))
    assert stores.postings.outdated(NOW) == [created.execution_id]
    stores.postings.put(replace(tried, next_attempt_at=NOW + LONGEST_REST))
    assert stores.postings.outdated(NOW) == []


def test_the_card_and_the_outcome_of_a_batch_are_told(stores: AnyStores) -> None:
    create(stores)
    total = stores.batches.members("b-1").total
    card = replace(stores.batches.card("b-1"), attempts=1, attempted_total=total)
    stores.batches.put_card(replace(card, next_attempt_at=NOW + LONGEST_REST))
    assert stores.batches.outdated(NOW) == []
    stores.batches.put_card(replace(card, next_attempt_at=AHEAD))
    assert stores.batches.outdated(NOW) == ["b-1"]
    stores.batches.put_card(replace(card, drawn_total=total, next_attempt_at=None))
    assert stores.batches.claim("b-1", "over", NOW)
    stores.batches.put_off("b-1", "over", until=AHEAD)
    assert stores.batches.outdated(NOW) == ["b-1"]
    assert stores.batches.claim("b-1", "over", NOW)


def test_an_outcome_is_told(stores: AnyStores) -> None:
    stores.executions.create(an_execution(status=DONE), an_event())
    assert stores.outcomes.claim("exec-1", DONE, NOW)
    stores.outcomes.put_off("exec-1", DONE, until=NOW + LONGEST_REST)
    assert stores.outcomes.untold(NOW) == []
    stores.outcomes.put_off("exec-1", DONE, until=AHEAD)
    assert stores.outcomes.untold(NOW) == ["exec-1"]
    assert stores.outcomes.claim("exec-1", DONE, NOW)


def test_a_home_is_drawn(stores: AnyStores) -> None:
    stores.homes.opened(ANALYST, AHEAD)
    assert stores.homes.begin(MINE, AHEAD)
    assert stores.homes.due(NOW, report_id="") == [MINE]
    assert stores.homes.begin(MINE, NOW)
    assert stores.homes.begin(MINE, NOW + HOME_EVERY / 2) is None


def test_a_picture_of_homes_is_made_and_an_old_one_deleted(stores: AnyStores) -> None:
    assert stores.home_pictures.begin("one", AHEAD)
    assert stores.home_pictures.is_due(NOW)
    picture = stores.home_pictures.begin("one", NOW)
    assert picture is not None
    stores.home_pictures.keep(replace(picture, file_id="F1", is_ready=True, due_at=None))
    stores.home_pictures.retire(AHEAD)
    assert [each.digest for each in stores.home_pictures.replaced(NOW)] == ["one"]
    assert stores.home_pictures.replaced(AHEAD - KEPT_AFTER_REPLACED + BIT) == []


def test_what_a_fix_left_behind_is_looked_at() -> None:
    stores = stores_in_memory()
    stores.executions.create(an_execution(status=DONE), an_event())
    recheck = Recheck(execution_id="exec-1", verdict=RecheckVerdict.UNREADABLE, checked_at=AHEAD, attempts=1)
    stores.rechecks.note(replace(recheck, next_attempt_at=AHEAD))
    assert stores.rechecks.due(NOW) == ["exec-1"]
    stores.rechecks.note(replace(recheck, next_attempt_at=NOW + timedelta(hours=6)))
    assert stores.rechecks.due(NOW) == []
    stores.close()


def test_that_a_finding_is_back_is_told_and_by_one_at_a_time() -> None:
    stores = stores_in_memory()
    stores.executions.create(an_execution(status=DONE), an_event())
    row = RegressionRow(
        execution_id="exec-1",
        fingerprint=a_finding(1).fingerprint,
        report_id="r-1",
        seen_at=NOW,
        told=False,
        attempts=0,
        next_attempt_at=AHEAD,
    )
    with stores.database.writing() as session:
        session.add(row)
    (key,) = stores.regressions.untold(NOW)
    assert stores.regressions.begin(key, NOW, next_attempt_at=NOW + BIT)
    assert stores.regressions.begin(key, NOW, next_attempt_at=NOW + BIT) is None, "somebody is at it"
    assert stores.regressions.begin(key, NOW + BIT, next_attempt_at=NOW + LONGEST_REST)
    stores.close()
