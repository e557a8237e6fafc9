"""Many threads, one commit: a commit waits for the disk, and what comes at the same time can wait for it together.

And one statement: what many want of the same kind is done in one go, which costs hardly more than for one of them.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from storage.wording import in_words

Item = TypeVar("Item")
Result = TypeVar("Result")
# Works on the connection alone, and briefly. Returns a result for each item, in their order, or raises and has done nothing.
Work = Callable[[Connection, Sequence[Item]], Sequence[Result]]


def _shut_gate() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class _Ticket(Generic[Item, Result]):
    """One thread's item. Its gate opens once it is over, committed or not, or when it is this thread's turn to lead."""

    work: Work[Item, Result]
    item: Item
    results: list[Result] = field(default_factory=list)
    error: Exception | None = None
    is_over: bool = False
    leads: bool = False
    gate: threading.Lock = field(default_factory=_shut_gate)


class Together:
    """Does work on SQLite, that of each thread wholly or not at all, and returns once it is committed.

    Whoever comes first leads: begins a transaction, which may mean to wait, does all that has gathered meanwhile, commits, and
    lets the others go. There is no thread of its own and nothing to stop, and what comes alone is done at once.

    Items of the same work are handed to it together. Where one spoils it for all, each goes alone and meets its own error.
    What befalls the transaction (the lock, the commit, the disk) befalls all in it.

    Args:
        transaction: waits for its turn, begins, and commits at its end, or rolls back if an error leaves it.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._guard = threading.Lock()
        self._is_led = False
        self._gathered: list[_Ticket[Any, Any]] = []

    def do(self, work: Work[Item, Result], item: Item) -> Result:
        """Return what came of an item, once that is committed.

        The work may be done in another thread, and again after a leader that was interrupted.

        Raises:
            Exception: what the work raised, or what befell the transaction. Nothing of this item is written.
            BaseException: this thread was interrupted. Where another one led, the item may be written all the same.
        """
        ticket = _Ticket(work, item)
        try:
            if not self._join(ticket):
                ticket.gate.acquire()
            if not ticket.is_over:
                self._lead(ticket)
        except BaseException:
            self._withdraw(ticket)
            raise
        if ticket.error is not None:
            raise ticket.error
        return ticket.results[0]

    def _join(self, ticket: _Ticket[Any, Any]) -> bool:
        """Stand with the others; tell whether this thread has to lead."""
        with self._guard:
            self._gathered.append(ticket)
            ticket.leads, self._is_led = not self._is_led, True
            return ticket.leads

    def _lead(self, mine: _Ticket[Any, Any]) -> None:
        led: list[_Ticket[Any, Any]] = []
        try:
            with self._transaction() as connection:
                led = self._waiting()
                for tickets in _by_work(led):
                    _attempt(connection, tickets)
        except Exception as error:  # noqa: BLE001 - raised again in each of their threads
            for ticket in led or self._waiting():
                ticket.error, ticket.is_over = error, True
        else:
            for ticket in led:
                ticket.is_over = True
        finally:
            self._hand_on(mine)

    def _waiting(self) -> list[_Ticket[Any, Any]]:
        """Return all who wait; they stand here until it is over for them, so that an interrupted leader loses nobody."""
        with self._guard:
            return list(self._gathered)

    def _withdraw(self, mine: _Ticket[Any, Any]) -> None:
        """Stand with the others no longer; where it is this thread's turn to lead, the next one does."""
        with self._guard:
            leads = mine.leads
            self._gathered = [ticket for ticket in self._gathered if ticket is not mine]
        if leads:
            self._hand_on(mine)

    def _hand_on(self, mine: _Ticket[Any, Any]) -> None:
        """Let the next one lead, if there is one, and those go for whom it is over."""
        with self._guard:
            over = [ticket for ticket in self._gathered if ticket.is_over]
            self._gathered = [ticket for ticket in self._gathered if not (ticket.is_over or ticket is mine)]
            self._is_led = bool(self._gathered)
            heirs = self._gathered[:1]
            mine.leads = False
            for heir in heirs:
                heir.leads = True
        for ticket in (*heirs, *over):
            ticket.gate.release()


def _by_work(tickets: Sequence[_Ticket[Any, Any]]) -> Iterator[list[_Ticket[Any, Any]]]:
    """Yield the tickets of each work, in the order they came."""
    of_work = defaultdict(list)
    for ticket in tickets:
        of_work[ticket.work].append(ticket)
    yield from of_work.values()


def _attempt(connection: Connection, tickets: Sequence[_Ticket[Any, Any]]) -> None:
    """Do the work of all in one go. Where one spoils it for all, each goes alone, and meets its own error."""
    error = _do_or_undo(connection, tickets)
    for ticket in tickets:
        goes_alone = error is not None and len(tickets) > 1
        ticket.error = _do_or_undo(connection, [ticket]) if goes_alone else error


def _do_or_undo(connection: Connection, tickets: Sequence[_Ticket[Any, Any]]) -> Exception | None:
    """Do the work of all, or undo what was done of it and return the error.

    Raises:
        Exception: the error took the whole transaction with it, as a full disk may on SQLite.
    """
    driver: Any = (
        connection.connection.driver_connection
    )  # these three need nothing of what the toolkit does around each
    driver.execute("SAVEPOINT work")
    undone: Exception | None = None
    try:
        with in_words():
            results = tickets[0].work(connection, [ticket.item for ticket in tickets])
        for ticket, result in zip(tickets, results, strict=True):
            ticket.results = [result]
    except Exception as error:
        if (
            not driver.in_transaction
        ):  # SQLite has rolled it back by itself, where it cannot undo one statement
            raise
        driver.execute("ROLLBACK TO work")
        undone = error
    driver.execute("RELEASE work")
    return undone
