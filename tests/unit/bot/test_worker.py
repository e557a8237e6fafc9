"""Hands: each piece of work once at a time, none lost, a crash in one stops no other."""

import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from bot.worker import Lane, Work, Worker


class Desk:
    """Does work that waits for the test's leave."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.at_once = 0
        self.most_at_once: dict[str, int] = {}
        self.gate = threading.Event()
        self.started = threading.Semaphore(0)
        self.finished = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._doing: dict[str, int] = {}

    def do(self, work_id: str) -> None:
        with self._lock:
            self._doing[work_id] = self._doing.get(work_id, 0) + 1
            self.most_at_once[work_id] = max(self.most_at_once.get(work_id, 0), self._doing[work_id])
        self.started.release()
        assert self.gate.wait(10)
        with self._lock:
            self._doing[work_id] -= 1
            self.done.append(work_id)
        self.finished.release()
        if work_id == "bad":
            raise ValueError("work broke")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def worker(desk: Desk) -> Iterator[Worker]:
    worker = Worker(sweep_every_s=0.05)
    worker.take_on({"job": Lane(desk.do, 4)}, lambda: ())
    yield worker
    desk.gate.set()
    worker.stop()


def test_the_same_work_is_one_while_it_waits_and_again_while_it_is_done(worker: Worker, desk: Desk) -> None:
    worker.submit("job", "a")
    assert desk.started.acquire(timeout=10)
    for _ in range(5):
        worker.submit("job", "a")
    desk.gate.set()
    for _ in range(2):
        assert desk.finished.acquire(timeout=10)
    worker.stop()
    assert desk.done == ["a", "a"]
    assert desk.most_at_once == {"a": 1}


def test_other_work_goes_on_meanwhile(worker: Worker, desk: Desk) -> None:
    for name in ("a", "b", "c"):
        worker.submit("job", name)
    for _ in range(3):
        assert desk.started.acquire(timeout=10)


def test_work_that_breaks_breaks_nothing_else(worker: Worker, desk: Desk) -> None:
    desk.gate.set()
    worker.submit("job", "bad")
    assert desk.finished.acquire(timeout=10)
    worker.submit("job", "good")
    assert desk.finished.acquire(timeout=10)
    assert desk.done == ["bad", "good"]


def test_the_sweep_finds_what_lies_there_and_survives_its_own_errors(desk: Desk) -> None:
    desk.gate.set()
    turns: list[int] = []

    def sweep() -> Iterator[Work]:
        turns.append(1)
        if len(turns) == 1:
            raise OSError("database is away")
        yield ("job", f"left-{len(turns)}")

    worker = Worker(sweep_every_s=0.01)
    worker.take_on({"job": Lane(desk.do, 1)}, sweep)
    worker.start()
    assert desk.finished.acquire(timeout=10)
    assert worker.is_alive
    worker.stop()
    assert not worker.is_alive


def test_what_is_handed_over_while_it_stops_is_left_alone(worker: Worker, desk: Desk) -> None:
    desk.gate.set()
    with worker._lock:  # as somebody in the middle of `submit` holds it
        worker.stop()
        worker._hands["job"].hand(("job", "a"))
    assert desk.done == []


def test_work_that_wants_to_end_the_program_is_told_of_and_ends_nothing() -> None:
    done = threading.Event()

    def do(work_id: str) -> None:
        if work_id == "ends":
            raise SystemExit(3)
        done.set()

    worker = Worker()
    worker.take_on({"job": Lane(do, 1)}, tuple)
    with capture_logs() as logs:
        worker.submit("job", "ends")
        worker.submit("job", "next")
        assert done.wait(10)
        worker.stop()
    assert [(entry["event"], entry["exc_info"]) for entry in logs] == [("work failed", True)]


def test_what_is_submitted_after_the_stop_is_left_alone(worker: Worker, desk: Desk) -> None:
    desk.gate.set()
    worker.stop()
    worker.submit("job", "late")
    assert desk.done == []


def test_stopping_finishes_what_is_being_done_and_leaves_the_rest(desk: Desk) -> None:
    worker = Worker()
    worker.take_on({"job": Lane(desk.do, 1)}, lambda: ())
    worker.submit("job", "first")
    assert desk.started.acquire(timeout=10)
    worker.submit("job", "second")
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    worker_refuses = threading.Event()
    threading.Timer(0.05, worker_refuses.set).start()
    assert worker_refuses.wait(10)
    desk.gate.set()
    stopper.join(10)
    worker.submit("job", "third")
    assert desk.done == ["first"]
