"""What every `Trail` does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from audit.anchors import Anchor, DueAnchor, anchor_wait
from audit.errors import TrailError
from audit.trail import GENESIS, breaks
from storage import Stores
from tests.fakes.samples import NOW, an_event, an_event_nobody_can_write
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores


def test_an_empty_trail_has_no_head(stores: AnyStores) -> None:
    assert stores.trail.head() is None
    assert list(stores.trail.stream()) == []


def test_the_first_entry_follows_nothing(stores: AnyStores) -> None:
    entry = stores.trail.record(an_event())
    assert (entry.seq, entry.previous_hash) == (1, GENESIS)
    assert entry.body == an_event().to_bytes()


def test_each_entry_follows_the_one_before(stores: AnyStores) -> None:
    recorded = [stores.trail.record(an_event(number=number)) for number in range(3)]

    assert list(stores.trail.stream()) == recorded
    assert stores.trail.head() == recorded[-1]
    assert list(breaks(recorded)) == []


def test_an_event_that_cannot_be_written_is_an_error(stores: AnyStores) -> None:
    with pytest.raises(TrailError):
        stores.trail.record(an_event_nobody_can_write())
    assert stores.trail.head() is None


def test_a_trail_longer_than_a_batch_streams_whole(stores: AnyStores) -> None:
    with_batches = 5003
    stores.trail.record_all([an_event(number=number) for number in range(with_batches)])
    assert [entry.seq for entry in stores.trail.stream()] == list(range(1, with_batches + 1))


def test_threads_append_without_gaps_or_forks(stores: AnyStores) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: stores.trail.record(an_event(number=number)), range(100)))

    entries = list(stores.trail.stream())
    assert len(entries) == 100
    assert list(breaks(entries)) == []


def test_readers_and_writers_do_not_disturb_each_other(stores: AnyStores) -> None:
    def take_a_turn(number: int) -> None:
        if number % 2:
            stores.trail.record(an_event(number=number))
        else:
            assert list(breaks(stores.trail.stream())) == []

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take_a_turn, range(80)))
    assert len(list(stores.trail.stream())) == 40


def test_several_events_are_written_together_or_not_at_all(stores: AnyStores) -> None:
    with pytest.raises(TrailError):
        stores.trail.record_all([an_event(), an_event_nobody_can_write()])
    assert stores.trail.head() is None
    recorded = stores.trail.record_all([an_event(number=number) for number in range(3)])
    assert list(stores.trail.stream()) == recorded
    assert list(breaks(recorded)) == []


EVERY = timedelta(hours=24)


def due(stores: AnyStores, at: datetime = NOW) -> Anchor | None:
    found = stores.anchors.due(at, every=EVERY)
    return found.anchor if found else None


def test_a_head_is_due_once_and_again_when_it_has_moved_and_time_has_passed(stores: AnyStores) -> None:
    assert due(stores) is None
    first = Anchor.of(stores.trail.record(an_event()))
    assert due(stores) == first
    stores.anchors.told(first)
    assert due(stores, NOW + 2 * EVERY) is None, "the head has not moved"
    second = Anchor.of(stores.trail.record(an_event(number=2)))
    assert due(stores, NOW + EVERY / 2) is None, "too early"
    assert due(stores, NOW + EVERY) == second


def test_a_head_that_does_not_stand_everywhere_is_due_again_after_growing_pauses(stores: AnyStores) -> None:
    first = Anchor.of(stores.trail.record(an_event()))
    assert stores.anchors.due(NOW, every=EVERY) == DueAnchor(first, 1)
    stores.anchors.noted(first, "file")
    stores.trail.record(an_event(number=2))
    at = NOW
    for attempt in range(2, 12):
        at += anchor_wait(attempt - 1)
        assert due(stores, at - timedelta(seconds=1)) is None
        assert stores.anchors.due(at, every=EVERY) == DueAnchor(first, attempt, frozenset({"file"}))
    assert anchor_wait(99) == timedelta(hours=1)


def test_a_newer_head_does_not_wait_for_an_older_one_that_never_got_through(stores: AnyStores) -> None:
    first = Anchor.of(stores.trail.record(an_event()))
    assert due(stores) == first
    stores.anchors.noted(first, "file")
    second = Anchor.of(stores.trail.record(an_event(number=2)))
    assert stores.anchors.due(NOW + EVERY, every=EVERY) == DueAnchor(second, 1)
    assert stores.anchors.first_without("channel") == first
    assert stores.anchors.first_without("file") == second
    stores.anchors.noted(second, "file")
    assert stores.anchors.first_without("file") is None
    stores.anchors.told(second)
    assert stores.anchors.first_without("channel") is None
