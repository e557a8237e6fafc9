"""SQLite's log, to which each commit is written and from which the file is brought up to date later.

A commit waits until the disk has it. Where the log has to grow for it, the disk writes down the file's new length as well, which
takes several times as long as to write over what lies there. A log that was
brought into the file is written over from its start, so it is slow only until it is as long as it ever gets.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# A little more than what 200 commits write (70 kB each): from so many on `Database.has_long_log` has it brought in.
ROOM_BYTES = 16 * 1024 * 1024


def bring_in(connection: sqlite3.Connection) -> None:
    """Bring what the log holds into the file; others may write meanwhile.

    Raises:
        sqlite3.Error: the file is locked or the disk is full.
    """
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def make_room(connection: sqlite3.Connection) -> None:
    """Make the log as long as it gets between two times of `bring_in`, unless it is. The database is not changed.

    What a transaction writes beyond the connection's cache goes to the log before its end; rolled back, it is written over by
    whoever commits next.

    Raises:
        sqlite3.Error: the file is locked or the disk is full.
        OSError: the log cannot be opened.
    """
    _number, _name, file = connection.execute("PRAGMA database_list").fetchone()
    with suppress(FileNotFoundError):
        if Path(f"{file}-wal").stat().st_size >= ROOM_BYTES:
            return
    with _small_cache(connection):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("CREATE TABLE room (bytes BLOB)")
            connection.execute("INSERT INTO room VALUES (zeroblob(?))", (ROOM_BYTES,))
        finally:
            connection.rollback()
    _wait_for_the_disk(f"{file}-wal")


@contextmanager
def _small_cache(connection: sqlite3.Connection) -> Iterator[None]:
    (before,) = connection.execute("PRAGMA cache_size").fetchone()
    connection.execute("PRAGMA cache_size = 16")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA cache_size = {int(before)}")


def _wait_for_the_disk(file: str) -> None:
    """Wait until a file is on the disk, so that the first commit need not. SQLite holds no locks on its log."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
