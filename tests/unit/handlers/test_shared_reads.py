"""What many ask at the same time is asked once, and nobody hears an answer to a question that was put before they asked."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from handlers.shared_reads import SharedReads, answer_of

PATIENCE_S = 10
THREADS = 4


class Held:
    """A question about something that changes, whose answers are held back: each says how things were when it was put."""

    def __init__(self) -> None:
        self.truth: object = "before"
        self._put = threading.Semaphore(0)
        self._gate = threading.Semaphore(0)

    def __call__(self) -> object:
        seen = self.truth
        self._put.release()
        assert self._gate.acquire(timeout=PATIENCE_S)
        if isinstance(seen, BaseException):
            raise seen
        return seen

    def wait_until_put(self) -> None:
        assert self._put.acquire(timeout=PATIENCE_S)

    @property
    def is_put_again(self) -> bool:
        return self._put.acquire(blocking=False)

    def answer(self) -> None:
        self._gate.release()


@pytest.fixture
def reads() -> SharedReads:
    return SharedReads(THREADS)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("first", ["begin", "ask"])
def test_who_asks_while_a_question_is_under_way_hears_what_is_so_after_they_asked(
    reads: SharedReads, people: ThreadPoolExecutor, held: Held, first: str
) -> None:
    earlier = people.submit(getattr(reads, first), "key", held)
    held.wait_until_put()
    held.truth = "after"
    later = reads.begin("key", held)
    held.answer()
    held.wait_until_put()
    held.answer()
    heard = earlier.result(PATIENCE_S)
    assert (heard if first == "ask" else heard.result(PATIENCE_S)) == "before"
    assert later.result(PATIENCE_S) == "after"


def test_nobody_joins_a_question_that_was_shared_once_it_is_put(reads: SharedReads, held: Held) -> None:
    reads.begin("key", held)
    held.wait_until_put()
    second = reads.begin("key", held)
    held.answer()
    held.wait_until_put()
    held.truth = "after"
    third = reads.begin("key", held)
    for _ in range(2):
        held.answer()
    assert second.result(PATIENCE_S) == "before"
    assert third.result(PATIENCE_S) == "after"


def test_those_who_come_meanwhile_share_one_question(
    reads: SharedReads, people: ThreadPoolExecutor, held: Held
) -> None:
    first = people.submit(reads.ask, "key", held)
    held.wait_until_put()
    meanwhile = [reads.begin("key", held) for _ in range(50)]
    for _ in range(2):
        held.answer()
    assert {each.result(PATIENCE_S) for each in [first, *meanwhile]} == {"before"}
    held.wait_until_put()
    assert not held.is_put_again, "two for fifty-one"


def test_it_is_put_anew_for_each_who_comes_alone(reads: SharedReads) -> None:
    counted = iter(range(9))
    assert [reads.ask("key", lambda: next(counted)) for _ in range(3)] == [0, 1, 2]
    assert [reads.begin("key", lambda: next(counted)).result(PATIENCE_S) for _ in range(3)] == [3, 4, 5]


def test_different_questions_do_not_wait_for_each_other(reads: SharedReads, held: Held) -> None:
    hanging = [reads.begin(number, held) for number in range(THREADS - 1)]
    for _ in hanging:
        held.wait_until_put()
    assert reads.ask("own thread", lambda: "mine") == "mine"
    assert reads.begin("another", lambda: "theirs").result(PATIENCE_S) == "theirs"
    for _ in hanging:
        held.answer()


def test_each_who_shares_a_question_hears_its_error_and_the_next_one_asks_anew(
    reads: SharedReads, people: ThreadPoolExecutor, held: Held
) -> None:
    first = people.submit(reads.ask, "key", held)
    held.wait_until_put()
    held.truth = ValueError("no")
    meanwhile = [reads.begin("key", held) for _ in range(3)]
    held.answer()
    held.wait_until_put()
    held.answer()
    assert first.result(PATIENCE_S) == "before"
    for each in meanwhile:
        with pytest.raises(ValueError, match="no"):
            each.result(PATIENCE_S)
    assert reads.ask("key", lambda: "yes") == "yes"


def test_an_error_that_many_raise_gathers_no_tracebacks() -> None:
    shared: Future[None] = Future()
    shared.set_exception(ValueError("no"))
    for _ in range(20):
        with pytest.raises(ValueError, match="no") as caught:
            answer_of(shared)
        assert len(caught.traceback) == 2, "ours, and the one that raises"


def test_who_is_interrupted_keeps_nobody_waiting(reads: SharedReads, held: Held) -> None:
    def interrupted() -> object:
        waiting.append(reads.begin("key", held))
        raise KeyboardInterrupt

    waiting = []
    with pytest.raises(KeyboardInterrupt):
        reads.ask("key", interrupted)
    held.answer()
    assert waiting[0].result(PATIENCE_S) == "before"
    assert reads.ask("key", lambda: "anew") == "anew"
