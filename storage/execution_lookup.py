"""Looking for executions in the database."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from audit.actor import Actor
from remediation.execution import PlaybookExecution
from remediation.states import NEVER_RAN, PlaybookStatus
from storage.columns import key_text
from storage.database import Database
from storage.journal import EXECUTIONS, load_on
from storage.naming import MOST_NAMED, pick_named

_COLUMNS: Final = EXECUTIONS.c
_IS_PENDING: Final = _COLUMNS.status == PlaybookStatus.PENDING.value


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

    def ran(self, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return what was approved and what became of it, newest first."""
        newest = _COLUMNS.created_at.desc(), _COLUMNS.execution_id.desc()
        did_run = _COLUMNS.status.not_in([status.value for status in NEVER_RAN])
        return self._load(select(EXECUTIONS).where(did_run).order_by(*newest).limit(limit))

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
