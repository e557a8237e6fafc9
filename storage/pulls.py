"""Fetches under way, in the database: an interrupted one goes on where it stopped."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col, select

from audit.errors import StateError
from audit.pulling import Pull
from audit.waiting import CLOCKS_DIFFER
from storage.database import Database, hold_write_lock
from storage.pull_tables import PullPageRow, PullRow

_BY_ANOTHER = "somebody else fetches the same findings, or just did: look for their report, or try again"


class SqlPulls:
    """Implements `audit.pulling.Pulls`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, pull: Pull, *, not_before: datetime) -> Pull:
        """Return the fetch of this key that is under way; if there is none, or it began before, begin this one."""
        with self._database.writing() as session:
            hold_write_lock(session.connection())  # of two who begin, one finds the other's
            row = session.get(PullRow, pull.key, with_for_update=True)
            if row is not None and not_before <= row.began_at <= pull.began_at + CLOCKS_DIFFER:
                return _to_pull(row)
            _forget(session, pull.key)
            session.add(_to_row(pull))
        return pull

    def add(self, pull: Pull, findings: Sequence[object], *, cursor: str) -> Pull:
        """Keep a page, together with where the next one begins: both, or neither. No cursor means that it was the last.

        Raises:
            StateError: somebody else has added one meanwhile, or begun anew.
        """
        newer = replace(pull, pages=pull.pages + 1, cursor=cursor, is_complete=not cursor)
        changes = {"pages": newer.pages, "cursor": newer.cursor, "is_complete": newer.is_complete}
        with self._database.writing() as session:
            if session.exec(update(PullRow).where(*_is(pull)).values(**changes)).rowcount != 1:
                raise StateError(_BY_ANOTHER)
            body = orjson.dumps(findings, default=str)
            session.add(PullPageRow(pull_key=pull.key, position=newer.pages, body=body))
        return newer

    def pages(self, pull: Pull) -> Iterator[bytes]:
        """Yield each page of a complete fetch as JSON, in order; each is a short transaction.

        Raises:
            StateError: somebody else has read it meanwhile and closed it, or begun anew: what came so far is not all of it.
        """
        for position in range(1, pull.pages + 1):
            yield self._page(pull, position)

    def close(self, pull: Pull) -> None:
        """Forget a fetch and its pages; one that somebody else has begun since stays."""
        with self._database.writing() as session:
            hold_write_lock(session.connection())  # nobody begins anew meanwhile
            if session.exec(select(PullRow).where(*_is(pull)).with_for_update()).first() is not None:
                _forget(session, pull.key)

    def _page(self, pull: Pull, position: int) -> bytes:
        wanted = (
            select(PullPageRow.body)
            .join(PullRow, col(PullRow.pull_key) == PullPageRow.pull_key)
            .where(*_is(pull), PullPageRow.position == position)
        )
        with self._database.reading() as session:
            body = session.exec(wanted).first()
        if body is None:
            raise StateError(_BY_ANOTHER)
        return body


def _is(pull: Pull) -> tuple[ColumnElement[bool], ...]:
    """Say which row a fetch is: one of the same key that was begun at another time, or has come further, is another."""
    return (
        col(PullRow.pull_key) == pull.key,
        col(PullRow.pages) == pull.pages,
        col(PullRow.began_at) == pull.began_at,
    )


def _forget(session: Session, key: str) -> None:
    session.exec(delete(PullPageRow).where(col(PullPageRow.pull_key) == key))
    session.exec(delete(PullRow).where(col(PullRow.pull_key) == key))


def _to_pull(row: PullRow) -> Pull:
    return Pull(key=row.pull_key, **row.model_dump(exclude={"pull_key"}))


def _to_row(pull: Pull) -> PullRow:
    return PullRow(
        pull_key=pull.key,
        began_at=pull.began_at,
        filters=dict(pull.filters),
        pages=pull.pages,
        cursor=pull.cursor,
        is_complete=pull.is_complete,
    )
