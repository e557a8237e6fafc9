"""Looking for executions in the database."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from audit.actor import Actor
from audit.errors import NotFoundError
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus
from storage.columns import key_text
from storage.database import Database
from storage.journal import EXECUTIONS, load_on

_COLUMNS: Final = EXECUTIONS.c
_IS_PENDING: Final = _COLUMNS.status == PlaybookStatus.PENDING.value
_MOST_NAMED = 5


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
        found = self._load(select(EXECUTIONS).where(begins).order_by(*shortest).limit(_MOST_NAMED))
        exact = [execution for execution in found if execution.execution_id.lower() == wanted]
        if not wanted or not found:
            raise NotFoundError(f"there is no execution “{name.strip()[:80]}”")
        if len(found) > 1 and not exact:
            names = ", ".join(execution.execution_id for execution in found)
            raise NotFoundError(f"more than one execution begins with “{name.strip()[:80]}”: {names}")
        return (exact or found)[0]

    def pending(self, *, limit: int = 10, after: PlaybookExecution | None = None) -> list[PlaybookExecution]:
        """Return executions that wait for a decision, those whose time ends first first."""
        wanted = select(EXECUTIONS).where(_IS_PENDING)
        if after is not None:
            wanted = wanted.where(_comes_after(_COLUMNS.expires_at, after.expires_at, after))
        return self._load(wanted.order_by(_COLUMNS.expires_at, _COLUMNS.execution_id).limit(limit))

    def count_pending(self) -> int:
        """Return how many executions wait for a decision."""
        with self._database.reading() as session:
            return int(session.execute(select(func.count()).where(_IS_PENDING)).scalar_one())

    def rollbacks(
        self, *, limit: int = 10, after: PlaybookExecution | None = None
    ) -> list[PlaybookExecution]:
        """Return executions whose rollback waits for signatures, those whose time ends first first."""
        waits = _COLUMNS.body["rollback"]["digest"].as_string().is_not(None)
        awake = _COLUMNS.wakes_at.is_not(None)  # few have a time to be looked at again, and it is indexed
        wanted = select(EXECUTIONS).where(awake, waits)
        if after is not None:
            wanted = wanted.where(_comes_after(_COLUMNS.wakes_at, after.wakes_at, after))
        return self._load(wanted.order_by(_COLUMNS.wakes_at, _COLUMNS.execution_id).limit(limit))

    def asked_by(self, person: Actor, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return what a person of Slack has asked for, newest first."""
        requester = _COLUMNS.body["requester"]
        theirs = and_(
            requester["slack_id"].as_string() == person.slack_id,
            requester["workspace"].as_string() == person.workspace,
        )
        newest = _COLUMNS.created_at.desc(), _COLUMNS.execution_id.desc()
        return self._load(select(EXECUTIONS).where(theirs).order_by(*newest).limit(limit))

    def _load(self, wanted: Select[Any]) -> list[PlaybookExecution]:
        with self._database.reading() as session:
            return load_on(session.connection(), wanted)


def _comes_after(
    when: ColumnElement[Any], at: datetime | None, last: PlaybookExecution
) -> ColumnElement[bool]:
    """Return the condition for what comes after an execution in the order of a time and the id."""
    same_time = and_(when == at, _COLUMNS.execution_id > key_text(last.execution_id))
    return or_(when > at, same_time)
