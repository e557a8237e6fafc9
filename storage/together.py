"""Many units of work, one commit: a commit waits for the disk, and what comes at the same time can wait for it together."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from storage.wording import in_words

T = TypeVar("T")


def _shut_gate() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class _Ticket:
    """One thread's unit of work. Its gate opens once it is over, committed or not, or when it is this thread's turn to lead."""

    work: Callable[[Connection], None]
    error: Exception | None = None
    is_over: bool = False
    gate: threading.Lock = field(default_factory=_shut_gate)

    def attempt(self, connection: Connection) -> None:
        """Do the work within a transaction, or undo what was done of it and keep the error for who brought it.

        Raises:
            Exception: the error took the whole transaction with it, as a full disk may on SQLite.
        """
        self.error = None
        connection.exec_driver_sql("SAVEPOINT unit")
        try:
            with in_words():
                self.work(connection)
        except Exception as error:
            if not _is_open(connection):
                raise
            connection.exec_driver_sql("ROLLBACK TO unit")
            self.error = error
        connection.exec_driver_sql("RELEASE unit")

    def fail(self, error: Exception) -> None:
        """Be over, with what befell the transaction."""
        self.error, self.is_over = error, True


class Together:
    """Runs units of work on SQLite, each wholly or not at all, and returns once they are committed.

    Whoever comes first leads: waits for the write lock, runs all that has gathered meanwhile, one after the other, each in a
    savepoint of one transaction, commits, and lets the others go. There is no thread of its own and nothing to stop, and
    a unit that comes alone is committed at once.

    A unit's own error undoes that unit and nobody else's. What befalls the transaction (the lock, the commit, the disk) befalls all in it.

    Args:
        transaction: waits for its turn, begins, and commits at its end, or rolls back if an error leaves it.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._guard = threading.Lock()
        self._is_led = False
        self._gathered: list[_Ticket] = []

    def run(self, unit: Callable[[Connection], T]) -> T:
        """Return what a unit returns, once it is committed. It may run in another thread, and again after one that was interrupted.

        Raises:
            Exception: what the unit raised, or what befell the transaction. Nothing of the unit is written.
        """
        made: list[T] = []
        ticket = _Ticket(lambda connection: made.append(unit(connection)))
        if not self._join(ticket):
            ticket.gate.acquire()
        if not ticket.is_over:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        return made[-1]

    def _join(self, ticket: _Ticket) -> bool:
        """Stand with the others; tell whether this thread has to lead."""
        with self._guard:
            self._gathered.append(ticket)
            leads, self._is_led = not self._is_led, True
            return leads

    def _lead(self, mine: _Ticket) -> None:
        led: list[_Ticket] = []
        try:
            with self._transaction() as connection:
                led = self._waiting()
                for ticket in led:
                    ticket.attempt(connection)
        except Exception as error:  # noqa: BLE001 - raised again in each of their threads
            for ticket in led or self._waiting():
                ticket.fail(error)
        else:
            for ticket in led:
                ticket.is_over = True
        finally:
            self._hand_on(mine)

    def _waiting(self) -> list[_Ticket]:
        """Return all who wait; they stand here until it is over for them, so that an interrupted leader loses nobody."""
        with self._guard:
            return list(self._gathered)

    def _hand_on(self, mine: _Ticket) -> None:
        """Let the next one lead, if there is one, and those go for whom it is over."""
        with self._guard:
            over = [ticket for ticket in self._gathered if ticket.is_over]
            self._gathered = [ticket for ticket in self._gathered if not (ticket.is_over or ticket is mine)]
            self._is_led = bool(self._gathered)
            heirs = self._gathered[:1]
        for ticket in (*heirs, *over):
            ticket.gate.release()


def _is_open(connection: Connection) -> bool:
    """Tell whether the transaction still stands: SQLite rolls it back by itself where it cannot undo one statement."""
    driver = connection.connection.driver_connection
    return bool(driver and driver.in_transaction)
