"""A process that dies at a chosen moment, and what it did to the world until then."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

from audit.trail import TrailEvent
from remediation.execution import PlaybookExecution
from storage.executions import SqlExecutions
from tests.contract.cases.contract import READS
from tests.fakes.google.checks import find_call

DIED = -signal.SIGKILL
LONGEST_S = 60


class StoppedError(BaseException):
    """The work ends here, in a process that lives on: no `except Exception` holds it up, and nothing after it is stored."""


@dataclass
class Fate:
    """Counts moments, and ends the process at the one it is told; `log` outlives it and names each write that took effect.

    Where it does not kill, the work alone ends there, by an error that nothing catches. Where threads write beside each other, none
    of them ends the process between another's write and its line in the log: a cloud does not half do a call, and tells of each.
    """

    log: Path
    dies_at: int | None = None
    moments: int = 0
    kills: bool = True
    _between_writes: RLock = field(default_factory=RLock, repr=False)

    def moment(self) -> None:
        """Let a moment pass, or end the process with kill -9: nothing is closed, nothing is said."""
        with self._between_writes:
            if self.dies_at is not None and self.moments >= self.dies_at:
                if self.kills:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise StoppedError
            self.moments += 1

    def wrote(self, what: str) -> None:
        """Note that a write took effect, beside the write and not in any memory."""
        with self.log.open("a") as log:
            log.write(f"{what}\n")

    def write(self, what: str, call: Callable[[], Any]) -> Any:
        """Let a write happen between two moments."""
        self.moment()
        with self._between_writes:
            answer = call()
            self.wrote(what)
        self.moment()
        return answer

    def writes(self) -> Counter[str]:
        """Return how often each write took effect, in all processes together."""
        return Counter(self.log.read_text().splitlines() if self.log.exists() else [])


class MortalClient:
    """An SDK client in whose every write the process may die, right before and right after."""

    def __init__(self, client: Any, fate: Fate) -> None:
        self._client = client
        self._fate = fate
        if fate.kills and hasattr(client, "close"):
            client.close()  # a connection that was made before the fork belongs to the parent

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)
        if READS.match(name) or not callable(member):
            return member

        def write(*arguments: object, **named: object) -> object:
            return self._fate.write(name, lambda: member(*arguments, **named))

        return write


def make_requests_mortal(fate: Fate) -> None:
    """Let this process die right before and right after each request that writes to the stand-in for Google Cloud.

    Google's clients hand out objects that write by themselves, so it is at the transport that all of them can be caught.
    """
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def mortal(self: Any, request: Any, **how: Any) -> Any:
        call = find_call(request.method, urlsplit(request.url).path)
        if call is None or request.method == "GET" or call.method.endswith(".wait"):
            return send(self, request, **how)
        return fate.write(call.method, lambda: send(self, request, **how))

    HTTPAdapter.send = mortal  # type: ignore[method-assign]


class MortalStore(SqlExecutions):
    """The journal on a real database; the process may die right before and right after each commit."""

    def __init__(self, inner: SqlExecutions, fate: Fate) -> None:
        super().__init__(inner._database)
        self._fate = fate

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        self._fate.moment()
        stored = super().save(before, after, event)
        self._fate.moment()
        return stored


@contextmanager
def no_longer_mortal() -> Iterator[None]:
    """Take back at the block's end what `make_requests_mortal` did in this process."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send
    try:
        yield
    finally:
        HTTPAdapter.send = send  # type: ignore[method-assign]


def in_child(work: Callable[[], None]) -> int:
    """Do something in a process of its own; return how it ended: 0, `DIED`, or 1 for an error."""
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST_S)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the test is told by the exit code
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
