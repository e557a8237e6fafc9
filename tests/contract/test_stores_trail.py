"""What every `Trail` does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from audit.anchors import Anchor
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


def test_a_head_is_due_once_and_again_when_it_has_moved_and_time_has_passed(stores: AnyStores) -> None:
    assert stores.anchors.due(NOW, every=EVERY) is None
    first = Anchor.of(stores.trail.record(an_event()))
    assert stores.anchors.due(NOW, every=EVERY) == first
    stores.anchors.told(first)
    assert stores.anchors.due(NOW + 2 * EVERY, every=EVERY) is None, "the head has not moved"
    second = Anchor.of(stores.trail.record(an_event(number=2)))
    assert stores.anchors.due(NOW + EVERY / 2, every=EVERY) is None, "too early"
    assert stores.anchors.due(NOW + EVERY, every=EVERY) == second


def test_a_head_that_nobody_was_told_stays_due(stores: AnyStores) -> None:
    first = Anchor.of(stores.trail.record(an_event()))
    assert stores.anchors.due(NOW, every=EVERY) == first
    stores.trail.record(an_event(number=2))
    assert stores.anchors.due(NOW + timedelta(seconds=2), every=EVERY) == first
