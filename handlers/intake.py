"""What people ask is written down here, on one thread, everything that came meanwhile in one commit.

Who takes in what Slack sends waits for nothing: a commit waits for the disk, and fifty threads that wait for theirs keep each other
from the processor. The acknowledgement goes out once the request is stored (`handlers.door`).
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue

import structlog
from slack_bolt import Ack, BoltContext

from audit.errors import RefusedError
from remediation.ports import Dispatcher, Inbox, Request

log = structlog.get_logger()
STORED = "countersign_stored"
"""Where a request of Slack's keeps what its acknowledgement has to wait for: a `Future`, done once what it asks for is stored."""
_AT_ONCE = 500  # more would make the first of them wait for the last
_STOPPING = "I am being restarted, and have not written this down: try again in a minute"
CLICK_KINDS = frozenset({"action", "view"})
TYPED_KINDS = frozenset({"command", "shortcut"})
_STEP_S, _CALM_AFTER_S, _LOOK_S = 0.02, 0.002, 0.001
Entry = tuple[Request, "Future[None]"]


class Intake:
    """Stores requests and hands them to the worker.

    Its thread begins with the first request, and ends with `stop`.

    Args:
        inbox: where requests are stored.
        dispatcher: gets those that are.
        step_s: seconds after which `give_way` lets the next thread go on, come what may.
    """

    def __init__(self, inbox: Inbox, dispatcher: Dispatcher, *, step_s: float = _STEP_S) -> None:
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._step_s = step_s
        self._waiting: SimpleQueue[Entry | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_stopped = False
        self._pending = 0
        self._busy_at = 0.0
        self._turnstile = threading.Lock()

    def keep(self, request: Request) -> "Future[None]":
        """Have a request stored, and return at once. The future is done once it is committed, or has the error that kept it from it.

        Raises:
            RefusedError: it is stopping.
            RuntimeError: the system lets its thread not begin; the next request tries again.
        """
        stored: Future[None] = Future()
        with self._lock:
            if self._is_stopped:
                raise RefusedError(_STOPPING)
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="intake", daemon=True)
                thread.start()
                self._thread = thread
            self._pending += 1
            self._waiting.put((request, stored))
        return stored

    def give_way(self) -> None:
        """Let those go first who wait for an acknowledgement. Meanwhile one thread after the other goes on, each some milliseconds.

        To be called where many threads may go on at the same moment: while they all are at it, nobody else gets a turn on the
        processor.
        """
        if self._is_calm():
            return
        with self._turnstile:
            until = time.monotonic() + self._step_s
            while time.monotonic() < until and not self._is_calm():
                time.sleep(_LOOK_S)

    def _is_calm(self) -> bool:
        return not self._pending and time.monotonic() - self._busy_at > _CALM_AFTER_S

    @property
    def is_alive(self) -> bool:
        """Tell whether requests are stored, or will be once one comes."""
        return self._thread is None or self._thread.is_alive()

    def stop(self) -> None:
        """Store what has come, and take nothing more."""
        with self._lock:
            self._is_stopped, thread = True, self._thread
            self._waiting.put(None)
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while entries := self._gather():
            self._store(entries)

    def _gather(self) -> list[Entry]:
        """Return what has come, at least one; nothing where no more comes."""
        first = self._waiting.get()
        entries = [] if first is None else [first]
        while entries and len(entries) < _AT_ONCE:
            try:
                entry = self._waiting.get_nowait()
            except Empty:
                break
            if entry is None:  # nothing comes after it: it is read again once these are stored
                self._waiting.put(None)
                break
            entries.append(entry)
        return entries

    def _store(self, entries: Sequence[Entry]) -> None:
        try:
            failures = self._inbox.put_all([request for request, _ in entries])
        except Exception as error:  # noqa: BLE001 - this thread's boundary: each of them hears it
            failures = [error] * len(entries)
        with self._lock:
            self._pending -= len(entries)
            self._busy_at = time.monotonic()
        for (_, stored), failure in zip(entries, failures, strict=True):
            if failure is None:
                stored.set_result(None)
            else:
                stored.set_exception(failure)
        for (request, _), failure in zip(entries, failures, strict=True):
            if failure is None:
                self._hand_on(request)

    def _hand_on(self, request: Request) -> None:
        """Tell the worker. Where that fails, its sweep finds what is stored."""
        try:
            self._dispatcher.submit(lane_of(request), request.request_id)
        except Exception:
            log.exception("request not handed on", request_id=request.request_id)


def lane_of(request: Request) -> str:
    """Return the kind of work that answers a request: who decides does not stand behind long commands."""
    return "click" if request.kind in CLICK_KINDS else "request"


def acknowledge(intake: Intake, ack: Ack, context: BoltContext, request: Request) -> None:
    """Have a request stored and handed on, and acknowledge it once it is; see `STORED`."""
    context[STORED] = intake.keep(request)
    ack()
