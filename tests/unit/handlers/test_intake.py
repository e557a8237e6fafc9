"""What people ask is stored before anything comes of it, together, and each hears of its own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from audit.errors import CountersignError, RefusedError
from handlers.intake import _AT_ONCE, CLICK_KINDS, TYPED_KINDS, Intake, lane_of
from remediation.ports import Request
from tests.fakes.cards_and_inbox import MemoryInbox
from tests.fakes.samples import ANALYST, NOW
from tests.fakes.threads import no_more_threads

PATIENCE_S = 10
LONG_S = 6 * PATIENCE_S


class Shelf(MemoryInbox):
    """An inbox whose `put_all` waits for the test's leave, once it has been told to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.refused: dict[str, CountersignError] = {}
        self.breaks: Exception | None = None
        self.has_come = threading.Semaphore(0)
        self.may_go = threading.Event()
        self.may_go.set()

    def put_all(self, requests: Sequence[Request]) -> list[Exception | None]:
        self.calls.append([request.request_id for request in requests])
        self.has_come.release()
        assert self.may_go.wait(PATIENCE_S)
        if self.breaks is not None:
            raise self.breaks
        return super().put_all(requests)

    def put(self, request: Request) -> None:
        if error := self.refused.get(request.request_id):
            raise error
        super().put(request)


class Desk:
    """A dispatcher that notes what it gets, and whether that was stored by then."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.got: list[tuple[str, str, bool]] = []
        self.breaks: Exception | None = None

    def submit(self, kind: str, work_id: str) -> None:
        self.got.append((kind, work_id, self._shelf.get(work_id) is not None))
        if self.breaks is not None:
            raise self.breaks


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def desk(shelf: Shelf) -> Desk:
    return Desk(shelf)


@pytest.fixture
def intake(shelf: Shelf, desk: Desk) -> Iterator[Intake]:
    intake = Intake(shelf, desk)
    yield intake
    shelf.may_go.set()
    stop(intake)


def stop(intake: Intake) -> None:
    """Stop it, and fail where that would take for ever."""
    stopper = threading.Thread(target=intake.stop, daemon=True)
    stopper.start()
    stopper.join(PATIENCE_S)
    assert not stopper.is_alive()


def a_request(name: str, kind: str = "action") -> Request:
    return Request(request_id=name, kind=kind, actor=ANALYST, received_at=NOW)


@contextmanager
def holding(intake: Intake, shelf: Shelf) -> Iterator["Future[None]"]:
    """Have the inbox busy with a request, `held`, for the length of the block."""
    shelf.may_go.clear()
    held = intake.keep(a_request("held"))
    assert shelf.has_come.acquire(timeout=PATIENCE_S)
    try:
        yield held
    finally:
        shelf.may_go.set()


def outcomes(stored: Sequence["Future[None]"]) -> list[BaseException | None]:
    return [each.exception(PATIENCE_S) for each in stored]


def test_what_is_done_is_stored(intake: Intake, shelf: Shelf) -> None:
    seen: list[bool] = []
    with holding(intake, shelf) as held:
        held.add_done_callback(lambda _: seen.append(shelf.get("held") is not None))
        assert not held.done()
    assert outcomes([held]) == [None]
    assert seen == [True]
    assert shelf.get("held") == a_request("held")


def test_nothing_is_handed_on_before_it_is_stored(intake: Intake, shelf: Shelf, desk: Desk) -> None:
    with holding(intake, shelf):
        assert desk.got == []
    stop(intake)
    assert desk.got == [("click", "held", True)]


@pytest.mark.parametrize(
    ("kind", "lane"),
    [("action", "click"), ("view", "click"), ("command", "request"), ("shortcut", "request")],
)
def test_who_decides_does_not_stand_behind_commands(
    intake: Intake, desk: Desk, *, kind: str, lane: str
) -> None:
    assert lane_of(a_request("r", kind)) == lane
    intake.keep(a_request("r", kind))
    stop(intake)
    assert desk.got == [(lane, "r", True)]
    assert kind in {"click": CLICK_KINDS, "request": TYPED_KINDS}[lane], "the sweep finds it for that lane"


def test_what_cannot_be_stored_has_its_error_and_is_not_handed_on(
    intake: Intake, shelf: Shelf, desk: Desk
) -> None:
    full = CountersignError("no")
    shelf.refused["bad"] = full
    with holding(intake, shelf):
        stored = [intake.keep(a_request(name)) for name in ("a", "bad", "b")]
    assert outcomes(stored) == [None, full, None]
    stop(intake)
    assert [name for _, name, _ in desk.got] == ["held", "a", "b"]


def test_an_inbox_that_breaks_is_told_to_everybody_and_the_next_are_stored(
    intake: Intake, shelf: Shelf, desk: Desk
) -> None:
    shelf.breaks = KeyError("a bug")
    with holding(intake, shelf) as held:
        stored = [intake.keep(a_request(name)) for name in ("a", "b")]
    assert outcomes([held, *stored]) == [shelf.breaks] * 3
    shelf.breaks = None
    assert outcomes([intake.keep(a_request("c"))]) == [None]
    stop(intake)
    assert desk.got == [("click", "c", True)]


def test_a_worker_that_takes_nothing_does_not_end_it(intake: Intake, shelf: Shelf, desk: Desk) -> None:
    desk.breaks = RuntimeError("can't start new thread")
    with capture_logs() as logs:
        with holding(intake, shelf) as held:
            stored = [intake.keep(a_request(name)) for name in ("a", "b")]
        assert outcomes([held, *stored]) == [None] * 3
        assert outcomes([intake.keep(a_request("c"))]) == [None]
        stop(intake)
    assert [name for _, name, _ in desk.got] == ["held", "a", "b", "c"]
    assert [(each["event"], each["request_id"]) for each in logs] == [
        ("request not handed on", name) for name in ("held", "a", "b", "c")
    ]


def test_what_comes_while_it_stores_is_stored_together(intake: Intake, shelf: Shelf) -> None:
    names = [f"r{number}" for number in range(50)]
    with holding(intake, shelf):
        stored = [intake.keep(a_request(name)) for name in names]
    assert outcomes(stored) == [None] * 50
    assert shelf.calls == [["held"], names]


def test_not_too_many_at_once(intake: Intake, shelf: Shelf) -> None:
    names = [f"r{number}" for number in range(2 * _AT_ONCE + 1)]
    with holding(intake, shelf):
        stored = [intake.keep(a_request(name)) for name in names]
    assert outcomes(stored) == [None] * len(names)
    assert [len(call) for call in shelf.calls] == [1, _AT_ONCE, _AT_ONCE, 1]
    assert [name for call in shelf.calls[1:] for name in call] == names


def test_a_stop_stores_what_has_come_and_refuses_what_comes(intake: Intake, shelf: Shelf, desk: Desk) -> None:
    names = [f"r{number}" for number in range(_AT_ONCE + 1)]
    with holding(intake, shelf) as held:
        stored = [intake.keep(a_request(name)) for name in names]
        stopper = threading.Thread(target=intake.stop, daemon=True)
        stopper.start()
        until(lambda: intake._is_stopped)
        with pytest.raises(RefusedError, match="being restarted"):
            intake.keep(a_request("late"))
        assert stopper.is_alive(), "it waits for those"
    stopper.join(PATIENCE_S)
    assert not stopper.is_alive()
    assert all(each.done() for each in (held, *stored))
    assert [name for _, name, _ in desk.got] == ["held", *names]
    assert shelf.get("late") is None


def test_a_stop_while_the_last_are_gathered_loses_none(intake: Intake, shelf: Shelf) -> None:
    with holding(intake, shelf):
        stored = intake.keep(a_request("last"))
        stoppers = [threading.Thread(target=intake.stop, daemon=True) for _ in range(2)]
        for stopper in stoppers:
            stopper.start()
        until(lambda: intake._waiting.qsize() == 3)
    for stopper in stoppers:
        stopper.join(PATIENCE_S)
    assert stored.done()
    assert shelf.calls == [["held"], ["last"]]
    assert intake._thread is not None
    assert not intake._thread.is_alive()


def test_a_stop_before_anything_came_and_twice(intake: Intake, shelf: Shelf) -> None:
    for _ in range(2):
        stop(intake)
        with pytest.raises(RefusedError):
            intake.keep(a_request("late"))
    assert shelf.calls == []
    assert intake._thread is None


def test_where_its_thread_cannot_begin_that_is_told_and_the_next_request_tries_again(
    intake: Intake, shelf: Shelf
) -> None:
    with no_more_threads(), pytest.raises(RuntimeError, match="start new thread"):
        intake.keep(a_request("lost"))
    intake.give_way()  # nothing waits: it would wait for nothing, for long
    assert intake._is_calm()
    assert outcomes([intake.keep(a_request("kept"))]) == [None]
    assert shelf.calls == [["kept"]]


def until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1000 * PATIENCE_S):
        if is_so():
            return
        pause.wait(0.001)
    raise AssertionError("it never came")


def passing(intake: Intake, count: int, passed: Callable[[], object]) -> list[threading.Thread]:
    """Have threads give way; each tells once it has passed."""

    def go() -> None:
        intake.give_way()
        passed()

    threads = [threading.Thread(target=go, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_nobody_gives_way_where_nothing_waits(intake: Intake) -> None:
    passed = threading.Event()
    with intake._turnstile:  # as another one who gives way holds it: it would be waited for
        passing(intake, 1, passed.set)
        assert passed.wait(PATIENCE_S)


def test_who_gives_way_goes_on_once_all_is_stored(shelf: Shelf, desk: Desk) -> None:
    intake = Intake(shelf, desk, step_s=LONG_S)
    seen: list[bool] = []
    with holding(intake, shelf):
        threads = passing(intake, 3, lambda: seen.append(shelf.get("held") is not None))
        until(intake._turnstile.locked)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads), "the step is longer than that"
    assert seen == [True] * 3
    stop(intake)


def test_while_something_waits_one_after_the_other_goes_on(shelf: Shelf, desk: Desk) -> None:
    intake = Intake(shelf, desk, step_s=0.001)
    passed = threading.Semaphore(0)
    with holding(intake, shelf) as held:
        with intake._turnstile:  # as the one before them holds it
            threads = passing(intake, 3, passed.release)
            assert not passed.acquire(timeout=0.1), "nobody passes beside it"
        for _ in range(3):
            assert passed.acquire(timeout=PATIENCE_S)
        assert not held.done(), "and nobody waits until nothing waits any more"
    for thread in threads:
        thread.join(PATIENCE_S)
    stop(intake)
