"""Threads of a lane: in order, no more than allowed or needed, and what waits is no matter to the garbage collector."""

import gc
import threading
from collections.abc import Callable, Iterator

import pytest

from bot.hands import Hands
from bot.worker import Lane, Worker
from tests.fakes.threads import no_more_threads

PATIENCE_S = 5
PIECES = 2_000


class Bench:
    """Does pieces of work, and holds each until the test lets it go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.who: set[str] = set()
        self.has_begun = threading.Semaphore(0)
        self.has_ended = threading.Semaphore(0)
        self.may_go = threading.Semaphore(0)

    def do(self, work: str) -> None:
        self.who.add(threading.current_thread().name)
        self.begun.append(work)
        self.has_begun.release()
        if not self.may_go.acquire(timeout=PATIENCE_S):
            self.may_go.release(PIECES)  # the test has failed: nobody waits any longer
        self.done.append(work)
        self.has_ended.release()
        if work == "ends the thread":
            raise SystemExit

    def begin(self, count: int = 1) -> None:
        """Wait until so many more have begun."""
        for _ in range(count):
            assert self.has_begun.acquire(timeout=PATIENCE_S)

    def end(self, count: int = 1) -> None:
        """Let so many more go, and wait until they have."""
        self.may_go.release(count)
        for _ in range(count):
            assert self.has_ended.acquire(timeout=PATIENCE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.may_go.release(PIECES)  # whatever a test that fails has left


def make(bench: Bench, threads: int) -> Hands[str]:
    return Hands(bench.do, threads=threads, name="lane")


def close(hands: Hands[str]) -> None:
    hands.shut()
    join(hands)


def join(hands: Hands[str]) -> None:
    """Join, and fail where that would take for ever."""
    joiner = threading.Thread(target=hands.join, daemon=True)
    joiner.start()
    joiner.join(3 * PATIENCE_S)
    assert not joiner.is_alive()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what a thread does after all that it can be heard of."""
    pause = threading.Event()
    for _ in range(1000 * PATIENCE_S):
        if is_so():
            return
        pause.wait(0.001)
    raise AssertionError("it never came")


def test_work_is_done_in_the_order_it_comes(bench: Bench) -> None:
    hands = make(bench, threads=1)
    words = [f"w{number}" for number in range(100)]
    for word in words:
        hands.hand(word)
    bench.end(len(words))
    close(hands)
    assert bench.done == words


def test_no_more_at_once_than_there_are_threads(bench: Bench) -> None:
    hands = make(bench, threads=3)
    for number in range(10):
        hands.hand(f"w{number}")
    bench.begin(3)
    assert sorted(bench.begun) == ["w0", "w1", "w2"]
    for number in range(3, 10):
        bench.end()
        bench.begin()
        assert len(bench.begun) == number + 1
    bench.end(3)
    close(hands)
    assert sorted(bench.done) == [f"w{number}" for number in range(10)]
    assert bench.who == {"lane_0", "lane_1", "lane_2"}


def test_no_thread_begins_before_it_is_needed(bench: Bench) -> None:
    hands = make(bench, threads=3)
    assert hands._threads == []
    for _ in range(5):
        hands.hand("one at a time")
        bench.begin()
        bench.end()
        until(lambda: hands._spare == 1)
    assert len(hands._threads) == 1
    hands.hand("one")
    hands.hand("and another")
    bench.begin(2)
    assert len(hands._threads) == 2
    bench.end(2)
    close(hands)


def test_after_a_rush_they_are_all_free_again_and_no_other_begins(bench: Bench) -> None:
    hands = make(bench, threads=2)
    for _ in range(2):
        for number in range(20):
            hands.hand(f"w{number}")
        bench.end(20)
        until(lambda: hands._spare == 2)
        assert len(hands._threads) == 2
    close(hands)


def test_shut_drops_what_waits_and_lets_end_what_is_being_done(bench: Bench) -> None:
    hands = make(bench, threads=2)
    for number in range(20):
        hands.hand(f"w{number}")
    bench.begin(2)
    hands.shut()
    assert bench.done == []
    assert all(thread.is_alive() for thread in hands._threads)
    bench.end(2)
    join(hands)
    assert sorted(bench.done) == ["w0", "w1"]
    assert not any(thread.is_alive() for thread in hands._threads)


def test_what_is_handed_over_after_that_is_left_alone(bench: Bench) -> None:
    hands = make(bench, threads=2)
    hands.hand("first")
    bench.begin()
    hands.shut()
    hands.hand("late")
    bench.end()
    join(hands)
    assert bench.begun == ["first"]
    assert hands._queue.empty()


def test_shut_twice_and_before_anything_came(bench: Bench) -> None:
    hands = make(bench, threads=2)
    close(hands)
    close(hands)
    hands.hand("late")
    assert hands._threads == []


def test_shut_twice_while_threads_are_busy_ends_them_all(bench: Bench) -> None:
    hands = make(bench, threads=2)
    for word in ("a", "b", "c"):
        hands.hand(word)
    bench.begin(2)
    hands.shut()
    hands.shut()
    bench.end(2)
    join(hands)
    assert sorted(bench.done) == ["a", "b"]


def test_join_waits_for_what_is_being_done(bench: Bench) -> None:
    hands = make(bench, threads=1)
    hands.hand("slow")
    bench.begin()
    hands.shut()
    seen: list[list[str]] = []
    waiter = threading.Thread(target=lambda: (hands.join(), seen.append(list(bench.done))))
    waiter.start()
    bench.end()
    waiter.join(PATIENCE_S)
    assert seen == [["slow"]]


def test_work_that_ends_its_thread_does_not(bench: Bench) -> None:
    hands = make(bench, threads=1)
    for word in ("ends the thread", "next"):
        hands.hand(word)
    bench.end(2)
    until(lambda: hands._spare == 1)
    close(hands)
    assert bench.done == ["ends the thread", "next"]
    assert bench.who == {"lane_0"}


def test_where_no_more_threads_begin_those_that_are_there_do_it(bench: Bench) -> None:
    hands = make(bench, threads=3)
    hands.hand("first")
    bench.begin()
    with no_more_threads():
        hands.hand("second")
    hands.hand("third")
    assert len(hands._threads) == 2, "and as soon as one begins, it does"
    bench.end(3)
    until(lambda: hands._spare == 2)
    close(hands)
    assert sorted(bench.done) == ["first", "second", "third"]


def test_where_not_one_thread_begins_the_work_is_not_taken(bench: Bench) -> None:
    hands = make(bench, threads=1)
    with no_more_threads(), pytest.raises(RuntimeError, match="start new thread"):
        hands.hand("lost")
    hands.hand("kept")
    bench.end()
    close(hands)
    assert bench.done == ["kept"]


def test_a_worker_forgets_what_it_could_hand_to_nobody(bench: Bench) -> None:
    worker = Worker()
    worker.take_on({"lane": Lane(bench.do, 1)}, tuple)
    with no_more_threads(), pytest.raises(RuntimeError, match="start new thread"):
        worker.submit("lane", "w")
    assert worker.loads()["lane"].depth == 0
    worker.submit("lane", "w")  # as the sweep does
    bench.end()
    worker.stop()
    assert bench.done == ["w"]


def tracked_by_waiting(hand: Callable[[str], None]) -> int:
    """Return how many objects more the garbage collector looks at once many pieces of work wait."""
    words = [f"w{number}" for number in range(PIECES)]
    gc.collect()
    before = len(gc.get_objects())
    for word in words:
        hand(word)
    gc.collect()
    return len(gc.get_objects()) - before


def test_work_that_waits_costs_the_garbage_collector_nothing(bench: Bench) -> None:
    hands = make(bench, threads=1)
    hands.hand("held")
    bench.begin()
    assert tracked_by_waiting(hands.hand) < PIECES // 10
    hands.shut()
    bench.end()
    join(hands)
    assert bench.done == ["held"]


def test_nor_does_work_that_waits_for_a_worker(bench: Bench) -> None:
    worker = Worker()
    worker.take_on({"lane": Lane(bench.do, 1)}, tuple)
    worker.submit("lane", "held")
    bench.begin()
    assert tracked_by_waiting(lambda word: worker.submit("lane", word)) < PIECES // 10
    assert worker.loads()["lane"].depth == PIECES + 1
    bench.may_go.release(PIECES)
    worker.stop()
    assert bench.done[0] == "held"


def test_no_piece_of_work_outlives_its_doing() -> None:
    class Piece:
        """What somebody may want to see gone."""

    gone = threading.Event()

    class Telling(Piece):
        def __del__(self) -> None:
            gone.set()

    hands: Hands[Piece] = Hands(lambda _piece: None, threads=1, name="lane")
    hands.hand(Telling())
    assert gone.wait(PATIENCE_S)
    hands.shut()
    join(hands)
