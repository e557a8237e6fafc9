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
class _Piece(Generic[Item, Result]):
    """An item, and what came of it."""

    work: Work[Item, Result]
    item: Item
    results: list[Result] = field(default_factory=list)
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Ticket:
    """What one thread brings. Its gate opens once all of it is over, committed or not, or when it is this thread's turn to lead."""

    pieces: Sequence[_Piece[Any, Any]]
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
        self._gathered: list[_Ticket] = []

    def do(self, work: Work[Item, Result], item: Item) -> Result:
        """Return what came of an item, once that is committed.

        The work may be done in another thread, and again after a leader that was interrupted.

        Raises:
            Exception: what the work raised, or what befell the transaction. Nothing of this item is written.
            BaseException: this thread was interrupted. Where another one led, the item may be written all the same.
        """
        piece = _Piece(work, item)
        self._see_through(_Ticket([piece]))
        if piece.error is not None:
            raise piece.error
        return piece.results[0]

    def do_each(self, work: Work[Item, Result], items: Sequence[Item]) -> list[Exception | None]:
        """Return, for each of several items, what kept it from being done, once the others are committed; see `do`.

        Raises:
            BaseException: this thread was interrupted.
        """
        pieces = [_Piece(work, item) for item in items]
        self._see_through(_Ticket(pieces))
        return [piece.error for piece in pieces]

    def _see_through(self, ticket: _Ticket) -> None:
        """Return once what a ticket stands for is over."""
        try:
            if not self._join(ticket):
                ticket.gate.acquire()
            if not ticket.is_over:
                self._lead(ticket)
        except BaseException:
            self._withdraw(ticket)
            raise

    def _join(self, ticket: _Ticket) -> bool:
        """Stand with the others; tell whether this thread has to lead."""
        with self._guard:
            self._gathered.append(ticket)
            ticket.leads, self._is_led = not self._is_led, True
            return ticket.leads

    def _lead(self, mine: _Ticket) -> None:
        led: list[_Ticket] = []
        try:
            with self._transaction() as connection:
                led = self._waiting()
                for pieces in _by_work(led):
                    _attempt(connection, pieces)
        except Exception as error:  # noqa: BLE001 - raised again in each of their threads
            for ticket in led or self._waiting():
                for piece in ticket.pieces:
                    piece.error = error
                ticket.is_over = True
        else:
            for ticket in led:
                ticket.is_over = True
        finally:
            self._hand_on(mine)

    def _waiting(self) -> list[_Ticket]:
        """Return all who wait; they stand here until it is over for them, so that an interrupted leader loses nobody."""
        with self._guard:
            return list(self._gathered)

    def _withdraw(self, mine: _Ticket) -> None:
        """Stand with the others no longer; where it is this thread's turn to lead, the next one does."""
        with self._guard:
            leads = mine.leads
            self._gathered = [ticket for ticket in self._gathered if ticket is not mine]
        if leads:
            self._hand_on(mine)

    def _hand_on(self, mine: _Ticket) -> None:
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


def do_each_apart(
    transaction: Callable[[], AbstractContextManager[Connection]],
    work: Work[Item, Result],
    items: Sequence[Item],
) -> list[Exception | None]:
    """Do work for several items in a transaction that no other thread shares; see `Together.do_each`.

    Where one spoils it for all, each has a transaction of its own. Where none can begin, the rest need not wait to hear the same.
    """
    error, has_begun = _attempt_apart(transaction, work, items)
    if error is None or len(items) == 1:
        return [error] * len(items)
    errors = []
    for item in items:
        if has_begun:
            error, has_begun = _attempt_apart(transaction, work, [item])
        errors.append(error)
    return errors


def _attempt_apart(
    transaction: Callable[[], AbstractContextManager[Connection]],
    work: Work[Item, Result],
    items: Sequence[Item],
) -> tuple[Exception | None, bool]:
    """Return what kept the work of all from being done, and whether its transaction has begun."""
    has_begun = False
    try:
        with transaction() as connection:
            has_begun = True
            _do_all(work, connection, items)
    except Exception as error:  # noqa: BLE001 - handed to whoever brought the items
        return error, has_begun
    return None, has_begun


def _by_work(tickets: Sequence[_Ticket]) -> Iterator[list[_Piece[Any, Any]]]:
    """Yield the pieces of each work, in the order they came."""
    of_work = defaultdict(list)
    for ticket in tickets:
        for piece in ticket.pieces:
            of_work[piece.work].append(piece)
    yield from of_work.values()


def _do_all(work: Work[Item, Result], connection: Connection, items: Sequence[Item]) -> Sequence[Result]:
    """Return what came of each item.

    Raises:
        ValueError: the work has forgotten one.
    """
    results = work(connection, items)
    if len(results) != len(items):
        raise ValueError(f"{len(results)} results for {len(items)} items")
    return results


def _attempt(connection: Connection, pieces: Sequence[_Piece[Any, Any]]) -> None:
    """Do the work of all in one go. Where one spoils it for all, each goes alone, and meets its own error."""
    error = _do_or_undo(connection, pieces)
    for piece in pieces:
        goes_alone = error is not None and len(pieces) > 1
        piece.error = _do_or_undo(connection, [piece]) if goes_alone else error


def _do_or_undo(connection: Connection, pieces: Sequence[_Piece[Any, Any]]) -> Exception | None:
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
            results = _do_all(pieces[0].work, connection, [piece.item for piece in pieces])
        for piece, result in zip(pieces, results, strict=True):
            piece.results = [result]
    except Exception as error:
        if (
            not driver.in_transaction
        ):  # SQLite has rolled it back by itself, where it cannot undo one statement
            raise
        driver.execute("ROLLBACK TO work")
        undone = error
    driver.execute("RELEASE work")
    return undone
