"""Many threads, one commit: a commit waits for the disk, and fifty that come at once can wait for it together."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from audit.errors import CountersignError

T = TypeVar("T")


def _shut_gate() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class _Ticket(Generic[T]):
    """One thread's item. Its gate opens once the item is committed, or when it is this thread's turn to commit."""

    item: T
    is_done: bool = False
    goes_alone: bool = False
    gate: threading.Lock = field(default_factory=_shut_gate)


class Together(Generic[T]):
    """Writes items so that `put` returns once its own item is committed.

    Whoever has the turn writes all that has gathered while the one before was writing, and lets the others go. There is no
    thread of its own and nothing to stop, and an item that comes alone is written at once.

    Args:
        write: commits all the items it is given, or none of them and raises.
    """

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        self._write = write
        self._guard = threading.Lock()
        self._is_led = False
        self._gathered: list[_Ticket[T]] = []

    def put(self, item: T) -> None:
        """Return once the item is committed. Raises what `write` raises for it."""
        ticket = _Ticket(item)
        if not self._join(ticket):
            ticket.gate.acquire()
        if ticket.is_done:
            return
        try:
            self._lead(ticket)
        finally:
            self._leave(ticket)

    def _join(self, ticket: _Ticket[T]) -> bool:
        """Stand with the others; tell whether this thread has to lead."""
        with self._guard:
            self._gathered.append(ticket)
            leads, self._is_led = not self._is_led, True
            return leads

    def _lead(self, ticket: _Ticket[T]) -> None:
        """Commit what has gathered. Where one spoils it for all, each goes alone, and meets its own error."""
        if not ticket.goes_alone:
            with suppress(CountersignError):
                self._commit(self._take())
        if not ticket.is_done:
            self._write([ticket.item])

    def _take(self) -> list[_Ticket[T]]:
        """Return those who go together; they stand with the others until they are committed."""
        with self._guard:
            return [ticket for ticket in self._gathered if not ticket.goes_alone]

    def _commit(self, tickets: Sequence[_Ticket[T]]) -> None:
        for ticket in tickets:
            ticket.goes_alone = True  # unless this goes well
        self._write([ticket.item for ticket in tickets])
        done = set(tickets)
        with self._guard:
            self._gathered = [ticket for ticket in self._gathered if ticket not in done]
        for ticket in tickets:
            ticket.is_done = True
            ticket.gate.release()

    def _leave(self, ticket: _Ticket[T]) -> None:
        """Let the next one lead, if there is one; whatever became of this one."""
        with self._guard:
            self._gathered = [other for other in self._gathered if other is not ticket]
            self._is_led = bool(self._gathered)
            if self._gathered:
                self._gathered[0].gate.release()
