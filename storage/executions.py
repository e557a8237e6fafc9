"""Executions in the database. Every change is one transaction: compare-and-swap, journal, trail entry."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, true, union, update
from sqlalchemy import select as sql_select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from audit.errors import HeldError, NotFoundError, StateError
from audit.trail import TrailEvent
from remediation.execution import PlaybookExecution
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus, check_transition
from storage.columns import column_text, key_text
from storage.database import Database
from storage.execution_rows import changed_actions, to_action_row, to_decision_row, to_execution, to_row
from storage.rechecks import have_rechecked
from storage.tables import ActionRow, DecisionRow, ExecutionRow, OwnerRow
from storage.trail import append_in

_NEWEST = col(ExecutionRow.created_at).desc(), col(ExecutionRow.execution_id).desc()


class SqlExecutions:
    """Implements `remediation.ports.ExecutionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.on_move: Callable[[PlaybookExecution], None] = _tell_nobody

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        """Store a new execution as version 1; one with the same id is returned as stored.

        Raises:
            HeldError: another one that is under way holds the same resource. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """
        first = replace(execution, version=1)
        try:
            with self._database.writing() as session:
                create_in(session, first)
                append_in(session, event)
        except IntegrityError:
            self._refuse_held(execution)
            return self.get(execution.execution_id)
        self.on_move(first)
        return first

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        """Store `after` if the stored one still is `before`; return it with its new version.

        Raises:
            StateError: somebody was faster, the transition table has no such move, or a decision was
                taken back. Nothing is written.
            HeldError: it would begin anew while another one holds the same resource. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """
        try:
            with self._database.writing() as session:
                saved = save_in(session, before, after)
                append_in(session, event)
        except IntegrityError:
            self._refuse_held(after)
            raise
        if saved.status is not before.status:
            self.on_move(saved)
        return saved

    def count_by_state(self) -> dict[PlaybookStatus, int]:
        """Return how many executions are in each state that any is in."""
        by_state = select(ExecutionRow.status, func.count()).group_by(ExecutionRow.status)
        with self._database.reading() as session:
            return {PlaybookStatus(name): count for name, count in session.exec(by_state)}

    def get(self, execution_id: str) -> PlaybookExecution:
        """Return an execution.

        Raises:
            NotFoundError: none goes by that id.
        """
        named = select(ExecutionRow).where(ExecutionRow.execution_id == execution_id)
        found = self._load(named)
        if not found:
            raise NotFoundError(f"there is no execution {execution_id[:80]}")
        return found[0]

    def history(
        self, *, playbook_id: str | None = None, finding_id: str | None = None, limit: int = 10
    ) -> list[PlaybookExecution]:
        """Return executions, newest first. `finding_id` is the scanner's id or the fingerprint."""
        wanted = true() if playbook_id is None else col(ExecutionRow.playbook_id) == key_text(playbook_id)
        if finding_id is not None:
            same_id = col(ExecutionRow.finding_id) == key_text(finding_id)
            same_print = col(ExecutionRow.fingerprint) == finding_id
            wanted = _newest_ids(and_(wanted, same_id), and_(wanted, same_print), limit=limit)
        return self._load(select(ExecutionRow).where(wanted).order_by(*_NEWEST).limit(limit))

    def waiting(self, now: datetime) -> list[PlaybookExecution]:
        """Return what a worker has to look at, oldest first: `APPROVED` ones, and `PENDING` ones past their time."""
        approved = col(ExecutionRow.status) == PlaybookStatus.APPROVED.value
        too_late = and_(
            col(ExecutionRow.status) == PlaybookStatus.PENDING.value, col(ExecutionRow.expires_at) <= now
        )
        oldest = col(ExecutionRow.created_at), col(ExecutionRow.execution_id)
        return self._load(select(ExecutionRow).where(or_(approved, too_late)).order_by(*oldest))

    def ran_out(self, now: datetime, *, since: datetime) -> list[PlaybookExecution]:
        """Return what nobody decided in time, since a moment, and what is to be looked at again by now."""
        status, expires_at = col(ExecutionRow.status), col(ExecutionRow.expires_at)
        undecided = and_(status == PlaybookStatus.EXPIRED.value, expires_at >= since)
        waking = col(ExecutionRow.wakes_at) <= now
        oldest = col(ExecutionRow.created_at), col(ExecutionRow.execution_id)
        return self._load(select(ExecutionRow).where(or_(undecided, waking)).order_by(*oldest))

    def touching(self, resource: str, *, limit: int = 50) -> list[PlaybookExecution]:
        """Return the executions on a resource, newest first."""
        same = col(ExecutionRow.resource) == column_text(resource)
        return self._load(select(ExecutionRow).where(same).order_by(*_NEWEST).limit(limit))

    def beat(self, owner: str, now: datetime) -> None:
        """Note that a process is alive."""
        with self._database.writing() as session:
            session.merge(OwnerRow(owner_id=owner, seen_at=now))

    def unfinished(self, owner: str, now: datetime) -> list[PlaybookExecution]:
        """Return what is being run by this owner, or by one that has not been heard of for too long, oldest first."""
        running = [PlaybookStatus.RUNNING.value, PlaybookStatus.ROLLING_BACK.value]
        under_way = select(ExecutionRow).where(col(ExecutionRow.status).in_(running))
        with self._database.reading() as session:
            alive = select(OwnerRow.owner_id).where(col(OwnerRow.seen_at) > now - OWNER_LOST_AFTER)
            others = set(session.exec(alive)) - {owner}
            rows = session.exec(under_way.order_by(col(ExecutionRow.created_at))).all()
            found = with_journals(session, rows)
        return [execution for execution in found if execution.owner not in others]

    def _refuse_held(self, execution: PlaybookExecution) -> None:
        """Refuse where another execution holds what this one wants.

        Raises:
            HeldError: names it.
        """
        if not execution.held:
            return
        same = select(ExecutionRow.execution_id).where(
            ExecutionRow.held == key_text(execution.held), ExecutionRow.execution_id != execution.execution_id
        )
        with self._database.reading() as session:
            if holder := session.exec(same).first():
                raise HeldError(holder)

    def _load(self, wanted: SelectOfScalar[ExecutionRow]) -> list[PlaybookExecution]:
        with self._database.reading() as session:
            rows = session.exec(wanted).all()
            return with_journals(session, rows)


def create_in(session: Session, first: PlaybookExecution) -> None:
    """Store a new execution in a transaction that others began and will write the trail in."""
    session.add(to_row(first))
    session.flush()
    _write_journal(session, before=None, after=first)
    have_rechecked(session, None, first)


def save_in(session: Session, before: PlaybookExecution, after: PlaybookExecution) -> PlaybookExecution:
    """Store a change in a transaction that others began and will write the trail in; return it with its new version.

    Raises:
        StateError: somebody was faster, the transition table has no such move, or a decision was taken back.
    """
    _check_move(before, after)
    saved = replace(after, version=before.version + 1)
    _swap(session, before, saved)
    _write_journal(session, before=before, after=saved)
    have_rechecked(session, before, saved)
    return saved


def _newest_ids(*ways: ColumnElement[bool], limit: int) -> ColumnElement[bool]:
    """Return what holds for the newest of each way: each walks an index of its own, where an OR would read and sort all."""
    newest = [
        select(ExecutionRow.execution_id).where(way).order_by(*_NEWEST).limit(limit).subquery()
        for way in ways
    ]
    return col(ExecutionRow.execution_id).in_(union(*(sql_select(each.c.execution_id) for each in newest)))


def _tell_nobody(_moved: PlaybookExecution) -> None:
    """Is told of moves where nobody counts them."""


def _check_move(before: PlaybookExecution, after: PlaybookExecution) -> None:
    if before.status is not after.status:
        check_transition(before.status, after.status)
    if after.decisions[: len(before.decisions)] != before.decisions:
        raise StateError("a decision that was made stays on record")


def _swap(session: Session, before: PlaybookExecution, after: PlaybookExecution) -> None:
    """Replace the row if it still has the version and the status that the caller has seen."""
    unchanged = and_(
        col(ExecutionRow.execution_id) == before.execution_id,
        col(ExecutionRow.version) == before.version,
        col(ExecutionRow.status) == before.status.value,
    )
    columns = to_row(after).model_dump(exclude={"execution_id"})
    if session.exec(update(ExecutionRow).where(unchanged).values(**columns)).rowcount != 1:
        raise StateError(f"execution {before.execution_id} has moved on meanwhile; look at its current card")


def _write_journal(session: Session, *, before: PlaybookExecution | None, after: PlaybookExecution) -> None:
    """Write the actions that changed, remove those that a new plan no longer has, add the new decisions."""
    name = after.execution_id
    for position, result in changed_actions(before.actions if before else (), after.actions):
        session.merge(to_action_row(name, position, result))
    if before and len(before.actions) > len(after.actions):
        surplus = and_(col(ActionRow.execution_id) == name, col(ActionRow.position) >= len(after.actions))
        session.exec(delete(ActionRow).where(surplus))
    made = len(before.decisions) if before else 0
    for position, decision in enumerate(after.decisions[made:], start=made):
        session.add(to_decision_row(name, position, decision))
    session.flush()


def with_journals(session: Session, rows: Sequence[ExecutionRow]) -> list[PlaybookExecution]:
    """Return the executions of rows, with their actions and decisions."""
    names = [row.execution_id for row in rows]
    actions, decisions = defaultdict(list), defaultdict(list)
    for action in session.exec(
        select(ActionRow).where(col(ActionRow.execution_id).in_(names)).order_by(col(ActionRow.position))
    ):
        actions[action.execution_id].append(action)
    for decision in session.exec(
        select(DecisionRow)
        .where(col(DecisionRow.execution_id).in_(names))
        .order_by(col(DecisionRow.position))
    ):
        decisions[decision.execution_id].append(decision)
    return [to_execution(row, actions[row.execution_id], decisions[row.execution_id]) for row in rows]
