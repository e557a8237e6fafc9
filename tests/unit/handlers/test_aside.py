"""Work beside the listeners: people who are told hold no window up, queues have an end, and a stop does not wait for Slack."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from handlers.aside import Aside

PATIENCE_S = 30


class Gate:
    """Something that is begun and does not end until it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.let_go.wait(PATIENCE_S)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.let_go.set()


def fail() -> None:
    raise ZeroDivisionError


def never(_error: Exception) -> None:
    raise AssertionError


def assert_set(event: threading.Event) -> None:
    assert event.wait(PATIENCE_S)


def soon(event: threading.Event) -> bool:
    return event.wait(PATIENCE_S)


def test_whoever_is_told_for_long_holds_no_window_up(gate: Gate) -> None:
    aside, opened = Aside(threads=1, tellers=1), threading.Event()
    aside.run(fail, or_tell=lambda _error: gate())
    assert soon(gate.begun)
    aside.run(opened.set, or_tell=never)
    assert soon(opened)
    assert not gate.let_go.is_set()


def test_what_finds_no_room_is_told_at_once(gate: Gate) -> None:
    aside, told, errors = Aside(threads=1, room=1), threading.Event(), list[str]()

    def note(error: Exception) -> None:
        errors.append(str(error))
        told.set()

    aside.run(gate, or_tell=never)
    assert soon(gate.begun)
    aside.run(lambda: None, or_tell=never)
    aside.run(lambda: None, or_tell=note)
    assert soon(told)
    assert errors == ["Too much waits for Slack at this moment, so nothing was decided. Click once more."]


@pytest.mark.parametrize("begin", [lambda aside, gate: aside.run(gate, or_tell=never), Aside.tell])
def test_a_stop_leaves_what_slack_does_not_answer(gate: Gate, begin: Callable[[Aside, Gate], None]) -> None:
    aside = Aside()
    begin(aside, gate)
    assert soon(gate.begun)
    with capture_logs() as logs:
        aside.stop(within_s=0.05)
    assert [entry["left"] for entry in logs] == [1]
    assert all(thread.daemon for thread in threading.enumerate() if thread.name in {"aside", "telling"})


def test_a_stop_finishes_what_takes_no_longer() -> None:
    aside, told, done = Aside(threads=1, tellers=1), list[int](), threading.Event()
    aside.run(lambda: assert_set(done), or_tell=never)
    for number in range(3):
        aside.tell(partial(told.append, number))
    done.set()
    with capture_logs() as logs:
        aside.stop()
    assert (told, logs) == ([0, 1, 2], [])


def test_what_cannot_be_told_is_logged_and_the_thread_goes_on() -> None:
    aside, told = Aside(tellers=1), threading.Event()
    with capture_logs() as logs:
        aside.tell(fail)
        aside.tell(told.set)
        assert soon(told)
    assert [entry["event"] for entry in logs] == ["error not told"]


def test_after_a_stop_nothing_is_begun() -> None:
    aside = Aside()
    aside.stop()
    with capture_logs() as logs:
        aside.run(fail, or_tell=never)
    assert [entry["event"] for entry in logs] == ["error not told"]
