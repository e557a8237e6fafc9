"""Looking for executions in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select

from audit.actor import Actor
from remediation.execution import PlaybookExecution
from remediation.lookup import PendingCount
from remediation.pending_query import ALL_PENDING, PendingQuery, Signer
from remediation.rules import Rule
from remediation.states import NEVER_RAN
from storage.columns import key_text
from storage.database import Database
from storage.execution_rows import to_member
from storage.journal import EXECUTIONS, load_on
from storage.naming import MOST_NAMED, pick_named
from storage.pending import (
    count,
    decided_by,
    deciding_rules,
    first_of_entries,
    is_pending,
    matching,
    to_places,
)

_COLUMNS: Final = EXECUTIONS.c
_IS_PENDING: Final = is_pending(EXECUTIONS)
# Few have a time to be looked at again, and it is indexed.
_HAS_ROLLBACK: Final = and_(
    _COLUMNS.wakes_at > datetime.min.replace(tzinfo=UTC),
    _COLUMNS.body["rollback"]["digest"].as_string().is_not(None),
)
# In the very words of the index for it.
_RAN: Final = _COLUMNS.status.not_in(
    [literal_column(f"'{name}'") for name in sorted(each.value for each in NEVER_RAN)]
)


class SqlExecutionFinder:
    """Implements `remediation.lookup.ExecutionFinder`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def named(self, name: str) -> PlaybookExecution:
        """Return the one execution whose id is the name, or begins with it, in any case.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """
        wanted = key_text(name.strip().lower())
        known = _COLUMNS.execution_id
        begins = func.lower(known).startswith(wanted, autoescape=True)
        shortest = func.length(known), known
        found = self._load(select(EXECUTIONS).where(begins).order_by(*shortest).limit(MOST_NAMED))
        by_id = {execution.execution_id: execution for execution in found}
        return by_id[pick_named(name, list(by_id), kind="execution")]

    def pending(self, query: PendingQuery = ALL_PENDING, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return executions that wait for a decision and match, those whose time ends first first."""
        in_order = _COLUMNS.expires_at, _COLUMNS.execution_id
        wanted = select(EXECUTIONS).where(matching(EXECUTIONS, query))
        return self._load(wanted.order_by(*in_order).limit(limit))

    def entries(self, query: PendingQuery, *, limit: int = 10, offset: int = 0) -> list[PlaybookExecution]:
        """Return a page of what waits and matches, the first one of each entry."""
        return self._load(first_of_entries(query, limit=limit, offset=offset))

    def count_pending(self) -> int:
        """Return how many executions wait for a decision."""
        return self.count_entries(ALL_PENDING).fixes

    def count_entries(self, query: PendingQuery) -> PendingCount:
        """Return how many executions wait and match, and how many entries of a list they are."""
        with self._database.reading() as session:
            return PendingCount(*session.execute(count(query)).one())

    def rollbacks(
        self, *, limit: int = 10, after: PlaybookExecution | None = None, signer: Signer | None = None
    ) -> list[PlaybookExecution]:
        """Return executions whose rollback waits for signatures, those whose time ends first first."""
        wanted = select(EXECUTIONS).where(_HAS_ROLLBACK)
        if after is not None:
            wanted = wanted.where(_comes_after(_COLUMNS.wakes_at, after.wakes_at, after))
        if signer is not None:
            wanted = wanted.where(decided_by(EXECUTIONS, signer))
        return self._load(wanted.order_by(_COLUMNS.wakes_at, _COLUMNS.execution_id).limit(limit))

    def deciding_rules(self, rules: Sequence[Rule]) -> frozenset[int | None]:
        """Return the places of the rules that decide about anything that waits."""
        with self._database.reading() as session:
            found = [
                place
                for waits in (_IS_PENDING, _HAS_ROLLBACK)
                for place in session.execute(deciding_rules(rules, waits)).scalars()
            ]
        return to_places(found)

    def ran(self, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return what was approved and what became of it, newest first."""
        return self._newest(_RAN, limit=limit)

    def asked_by(self, person: Actor, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return what a person of Slack has asked for, newest first."""
        member = to_member(person)
        return self._newest(_COLUMNS.requester == member, limit=limit) if member else []

    def _newest(self, wanted: ColumnElement[bool], *, limit: int) -> list[PlaybookExecution]:
        newest = _COLUMNS.created_at.desc(), _COLUMNS.execution_id.desc()
        return self._load(select(EXECUTIONS).where(wanted).order_by(*newest).limit(limit))

    def _load(self, wanted: Select[Any]) -> list[PlaybookExecution]:
        with self._database.reading() as session:
            return load_on(session.connection(), wanted)


def _comes_after(
    when: ColumnElement[Any], at: datetime | None, last: PlaybookExecution
) -> ColumnElement[bool]:
    """Return the condition for what comes after an execution in the order of a time and the id."""
    same_time = and_(when == at, _COLUMNS.execution_id > key_text(last.execution_id))
    return or_(when > at, same_time)
