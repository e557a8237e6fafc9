"""What every `Postings` and every `Inbox` does."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from remediation.ports import ANSWERER_LOST_AFTER, Posting, Request
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, an_event, an_execution
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
ME = "boot-me"
OTHER = "boot-other"
MOMENT = timedelta(milliseconds=1)


def a_card(execution_id: str = "exec-1", *, revision: int = 1, drawn_version: int = 1) -> Posting:
    return Posting(
        execution_id=execution_id,
        revision=revision,
        channel="C1",
        message_id=f"1700000000.00000{revision}",
        drawn_version=drawn_version,
    )


def a_request(name: str = "req-1", *, seconds: int = 0) -> Request:
    return Request(
        request_id=name,
        kind="action",
        actor=ANALYST,
        received_at=NOW + timedelta(seconds=seconds),
        payload={"execution": "exec-1", "version": 3, "state": {"reason": None}},
    )


def test_cards_are_kept_by_revision(stores: AnyStores) -> None:
    stores.executions.create(an_execution(), an_event())
    stores.postings.put(a_card(revision=2))
    stores.postings.put(a_card(revision=1))

    assert stores.postings.postings("exec-1") == [a_card(revision=1), a_card(revision=2)]
    assert stores.postings.postings("exec-2") == []


def test_a_card_that_changed_replaces_itself(stores: AnyStores) -> None:
    stores.executions.create(an_execution(), an_event())
    stores.postings.put(a_card())
    changed = replace(a_card(), drawn_version=2, progress_id="1700000000.000009")
    stores.postings.put(changed)
    assert stores.postings.postings("exec-1") == [changed]


def test_outdated_are_the_missing_and_the_old_cards(stores: AnyStores) -> None:
    for number, name in enumerate(("missing", "old", "current", "redrawn")):
        created_at = NOW + timedelta(seconds=number)
        first = stores.executions.create(an_execution(name, created_at=created_at), an_event())
        if name != "missing":
            stores.postings.put(a_card(name))
        if name == "old":
            stores.executions.save(first, replace(first, owner="me"), an_event())
        if name == "redrawn":
            stores.executions.save(first, replace(first, revision=2), an_event())

    assert stores.postings.outdated(NOW) == ["missing", "old", "redrawn"]
    assert stores.postings.outdated(NOW, limit=1) == ["missing"]


def tried(stores: AnyStores, name: str, *, next_s: int, number: int = 0) -> None:
    """Have a card tried in vain; it is due again so many seconds after NOW."""
    created_at = NOW - timedelta(hours=1, seconds=-number)
    stores.executions.create(an_execution(name, created_at=created_at), an_event())
    next_attempt_at = NOW + timedelta(seconds=next_s)
    card = replace(a_card(name, drawn_version=0), attempts=1, attempted_version=1)
    stores.postings.put(replace(card, next_attempt_at=next_attempt_at))


def test_a_card_that_was_tried_in_vain_is_due_when_its_time_comes(stores: AnyStores) -> None:
    tried(stores, "exec-1", next_s=8)
    assert stores.postings.outdated(NOW + timedelta(seconds=7)) == []
    assert stores.postings.outdated(NOW + timedelta(seconds=8)) == ["exec-1"]


def test_a_new_state_is_due_at_once(stores: AnyStores) -> None:
    tried(stores, "exec-1", next_s=600)
    first = stores.executions.get("exec-1")
    stores.executions.save(first, replace(first, owner="me"), an_event())
    assert stores.postings.outdated(NOW) == ["exec-1"]


def test_those_that_are_tried_in_vain_keep_no_other_waiting(stores: AnyStores) -> None:
    for number, next_s in enumerate((-1, -9, 5)):
        tried(stores, f"tried-{number}", next_s=next_s, number=number)
    stores.executions.create(an_execution("new", created_at=NOW), an_event())
    stores.executions.create(an_execution("old", created_at=NOW - timedelta(minutes=1)), an_event())
    assert stores.postings.outdated(NOW) == ["old", "tried-1", "tried-0", "new"]
    assert stores.postings.outdated(NOW, limit=1) == ["old"]


def test_a_card_that_was_drawn_again_is_no_longer_outdated(stores: AnyStores) -> None:
    first = stores.executions.create(an_execution(), an_event())
    stores.executions.save(first, replace(first, revision=2), an_event())
    stores.postings.put(a_card(revision=1, drawn_version=1))
    stores.postings.put(a_card(revision=2, drawn_version=2))
    assert stores.postings.outdated(NOW) == []


def test_executions_without_a_channel_have_no_card_to_miss(stores: AnyStores) -> None:
    stores.executions.create(an_execution(channel=""), an_event())
    assert stores.postings.outdated(NOW) == []


def test_a_request_is_kept_until_it_is_answered(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    assert stores.inbox.get("req-1") == a_request()

    stores.inbox.done("req-1")
    assert stores.inbox.get("req-1") is None
    assert stores.inbox.open_requests(ME, NOW) == []


def test_the_same_request_twice_is_one(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    stores.inbox.put(replace(a_request(), payload={"other": 1}))
    assert stores.inbox.get("req-1") == a_request()


def test_a_repeat_of_an_answered_request_stays_answered(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    stores.inbox.done("req-1")
    stores.inbox.put(a_request())
    assert stores.inbox.open_requests(ME, NOW) == []


def test_each_attempt_to_answer_is_counted_before_it_is_made(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    for attempts in (1, 2):
        begun = stores.inbox.begin("req-1", owner=ME, now=NOW)
        assert begun == stores.inbox.get("req-1") == replace(a_request(), attempts=attempts)
    assert stores.inbox.open_requests(ME, NOW) == ["req-1"]


def test_what_is_answered_or_unknown_cannot_be_begun(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    stores.inbox.done("req-1")
    assert stores.inbox.begin("req-1", owner=ME, now=NOW) is None
    assert stores.inbox.begin("req-9", owner=ME, now=NOW) is None


def test_what_another_process_answers_is_handed_out_to_nobody(stores: AnyStores) -> None:
    for name in ("req-1", "req-2"):
        stores.inbox.put(a_request(name))
    assert stores.inbox.begin("req-1", owner=OTHER, now=NOW)
    until = NOW + ANSWERER_LOST_AFTER
    for now in (NOW, until - MOMENT):
        assert stores.inbox.open_requests(ME, now) == ["req-2"]
        assert stores.inbox.begin("req-1", owner=ME, now=now) is None
    assert stores.inbox.get("req-1") == replace(a_request(), attempts=1)
    assert stores.inbox.open_requests(OTHER, NOW) == ["req-1", "req-2"]


def test_a_process_that_is_not_heard_of_loses_what_it_answers(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    stores.inbox.begin("req-1", owner=OTHER, now=NOW)
    until = NOW + ANSWERER_LOST_AFTER
    assert stores.inbox.open_requests(ME, until) == ["req-1"]
    assert stores.inbox.begin("req-1", owner=ME, now=until) == replace(a_request(), attempts=2)
    assert stores.inbox.begin("req-1", owner=OTHER, now=until) is None, "it is somebody else's now"


def test_a_long_answer_is_its_owners_while_that_is_heard_of(stores: AnyStores) -> None:
    stores.inbox.put(a_request())
    stores.inbox.begin("req-1", owner=OTHER, now=NOW)
    seen_at = NOW + 9 * ANSWERER_LOST_AFTER
    stores.executions.beat(OTHER, seen_at)
    stores.executions.beat(ME, seen_at + ANSWERER_LOST_AFTER)
    lost_at = seen_at + ANSWERER_LOST_AFTER
    assert stores.inbox.open_requests(ME, lost_at - MOMENT) == []
    assert stores.inbox.begin("req-1", owner=ME, now=lost_at - MOMENT) is None
    assert stores.inbox.open_requests(ME, lost_at) == ["req-1"]
    assert stores.inbox.begin("req-1", owner=ME, now=lost_at)


def test_a_request_without_a_payload_is_open_all_the_same(stores: AnyStores) -> None:
    stores.inbox.put(replace(a_request(), payload={}))
    assert stores.inbox.open_requests(ME, NOW) == ["req-1"]
    assert stores.inbox.get("req-1") == replace(a_request(), payload={})


@pytest.mark.parametrize("said", ["\U0001f600", "\0", 2**63])
def test_a_request_comes_back_as_it_was_said(stores: AnyStores, said: object) -> None:
    request = replace(a_request(), payload={"state": {"said": said}})
    stores.inbox.put(request)
    assert stores.inbox.begin("req-1", owner=ME, now=NOW) == replace(request, attempts=1)


def test_open_requests_are_listed_oldest_first(stores: AnyStores) -> None:
    for name, seconds in (("late", 2), ("early", 1), ("answered", 0)):
        stores.inbox.put(a_request(name, seconds=seconds))
    stores.inbox.done("answered")
    assert stores.inbox.open_requests(ME, NOW) == ["early", "late"]


def test_unknown_requests_are_nobodys_problem(stores: AnyStores) -> None:
    stores.inbox.done("req-9")
    assert stores.inbox.get("req-9") is None


def test_a_sweep_takes_only_so_many_requests_the_oldest(stores: AnyStores) -> None:
    for seconds in (3, 1, 2):
        stores.inbox.put(a_request(f"req-{seconds}", seconds=seconds))
    assert stores.inbox.open_requests(ME, NOW, 2) == ["req-1", "req-2"]


def test_several_are_stored_at_once(stores: AnyStores) -> None:
    requests = [a_request(f"req-{number}", seconds=-number) for number in range(40)]
    assert stores.inbox.put_all(requests) == [None] * 40
    assert stores.inbox.open_requests(ME, NOW) == [each.request_id for each in reversed(requests)]
    assert [stores.inbox.get(each.request_id) for each in requests] == requests
    assert stores.inbox.put_all([]) == []


def test_the_same_id_twice_in_one_call_and_over_two_is_one_request(stores: AnyStores) -> None:
    repeat = replace(a_request(), payload={"other": 1})
    assert stores.inbox.put_all([a_request(), repeat, a_request("req-2")]) == [None] * 3
    assert (
        stores.inbox.put_all([replace(repeat, request_id="req-2"), repeat, a_request("req-3")]) == [None] * 3
    )
    names = ["req-1", "req-2", "req-3"]
    assert stores.inbox.open_requests(ME, NOW) == names
    assert [stores.inbox.get(name) for name in names] == [a_request(name) for name in names]


def test_repeats_among_several_stay_answered_and_counted(stores: AnyStores) -> None:
    stores.inbox.put_all([a_request("req-1"), a_request("req-2")])
    stores.inbox.done("req-1")
    stores.inbox.begin("req-2", owner=ME, now=NOW)
    assert stores.inbox.put_all([a_request("req-1"), a_request("req-2"), a_request("req-3")]) == [None] * 3
    assert stores.inbox.get("req-1") is None
    assert stores.inbox.get("req-2") == replace(a_request("req-2"), attempts=1)
    assert stores.inbox.open_requests(ME, NOW) == ["req-2", "req-3"]


def test_of_several_one_that_cannot_be_stored_has_its_error_and_the_others_are(stores: AnyStores) -> None:
    bad = replace(a_request("req-bad"), payload={"text": "half of a pair: \ud83d"})
    errors = stores.inbox.put_all([a_request("req-1"), bad, a_request("req-2"), bad])
    assert [error is None for error in errors] == [True, False, True, False]
    assert stores.inbox.get("req-bad") is None
    assert stores.inbox.open_requests(ME, NOW) == ["req-1", "req-2"]
    (error,) = stores.inbox.put_all([bad])
    assert error is not None


def test_a_sweep_may_ask_for_some_kinds(stores: AnyStores) -> None:
    kinds = ("action", "view", "command", "shortcut")
    for number, kind in enumerate((*kinds, "action")):
        stores.inbox.put(replace(a_request(f"{kind}-{number}", seconds=number), kind=kind))
    stores.inbox.begin("view-1", owner=OTHER, now=NOW)
    asked = partial(stores.inbox.open_requests, ME, NOW)
    assert asked(kinds={"action", "view"}) == ["action-0", "action-4"]
    assert asked(kinds=frozenset({"command", "shortcut"})) == ["command-2", "shortcut-3"]
    assert asked(limit=1, kinds={"shortcut", "action"}) == ["action-0"]
    assert asked(kinds=()) == []
    assert asked() == ["action-0", "command-2", "shortcut-3", "action-4"]
