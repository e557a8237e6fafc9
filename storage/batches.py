"""Batches in the database. What changes several executions is one transaction: every compare-and-swap, every trail entry, or nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, and_, case, func, or_, update
from sqlalchemy import select as core_select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from audit.actor import Actor
from audit.errors import HeldError, NotFoundError, StateError
from audit.trail import TrailEvent
from remediation.batches import Batch, BatchCard, LeftOut, Members, Saving
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from remediation.ports import LONGEST_REST
from storage.batch_tables import BatchItemRow, BatchRow
from storage.columns import column_text, key_text
from storage.database import Database
from storage.exceptions import to_exception_row
from storage.executions import SqlExecutions
from storage.journal import EXECUTIONS, create_on, load_on, save_on
from storage.naming import MOST_NAMED, pick_named
from storage.tables import ExecutionRow, table_of
from storage.trail import append_all_in
from storage.waiting import has_come

_CARD = (
    "message_id",
    "progress_id",
    "drawn_total",
    "drawn_at",
    "attempts",
    "attempted_total",
    "next_attempt_at",
)


class SqlBatches:
    """Implements `remediation.batches.Batches`. `executions` hears of every move that is stored here."""

    def __init__(self, database: Database, executions: SqlExecutions) -> None:
        self._database = database
        self._executions = executions

    def create(
        self, batch: Batch, executions: Sequence[PlaybookExecution], events: Sequence[TrailEvent]
    ) -> Batch:
        """Store a batch with its executions; see `Batches.create`."""
        try:
            with self._database.writing() as session:
                session.add(_to_row(batch))
                session.flush()
                first = create_on(session.connection(), executions)
                session.add_all(_item(batch, position, each) for position, each in enumerate(first))
                session.flush()
                append_all_in(session, events)
        except IntegrityError:
            if holders := self.holders(each.held for each in executions if each.held):
                mine = {each.execution_id for each in executions}
                if others := sorted(set(holders.values()) - mine):
                    raise HeldError(others[0]) from None
            return self._stored(batch.batch_id)
        for execution in first:
            self._executions.on_move(execution)
        return batch

    def _stored(self, batch_id: str) -> Batch:
        """Return the batch that stood in the way of storing one of the same id.

        Raises:
            StateError: none did: what held a resource has let go of it since.
        """
        try:
            return self.get(batch_id)
        except NotFoundError:
            raise StateError(
                "one of the resources was in use a moment ago, and is free now; try again"
            ) from None

    def get(self, batch_id: str) -> Batch:
        """Return a batch; see `Batches.get`."""
        return self.members(batch_id).batch

    def members(self, batch_id: str) -> Members:
        """Return a batch with its executions, read at one moment."""
        with self._database.reading() as session:
            row = _find(session, batch_id)
            found = load_on(session.connection(), _rows_of(batch_id))
        names = tuple(each.execution_id for each in found)
        return Members(_to_batch(row, names), tuple(found))

    def named(self, name: str) -> Members:
        """Return the one batch whose id is the name, or begins with it, in any case; see `Batches.named`."""
        known = col(BatchRow.batch_id)
        begins = func.lower(known).startswith(key_text(name.strip().lower()), autoescape=True)
        wanted = select(known).where(begins).order_by(func.length(known), known).limit(MOST_NAMED)
        with self._database.reading() as session:
            found = list(session.exec(wanted))
        return self.members(pick_named(name, found, kind="batch"))

    def holders(self, holds: Iterable[str]) -> dict[str, str]:
        """Return which of these resources are held, and by which execution."""
        by_key = {key_text(name): name for name in holds}
        held = select(ExecutionRow.held, ExecutionRow.execution_id).where(col(ExecutionRow.held).in_(by_key))
        with self._database.reading() as session:
            return {by_key[key]: holder for key, holder in session.exec(held) if key is not None}

    def save_all(
        self,
        savings: Sequence[Saving],
        events: Sequence[TrailEvent],
        *,
        exceptions: Sequence[FindingException] = (),
    ) -> list[PlaybookExecution]:
        """Store a change of each execution, all of them or none; see `Batches.save_all`."""
        with self._database.writing() as session:
            saved = save_on(session.connection(), savings)
            session.add_all(map(to_exception_row, exceptions))
            append_all_in(session, events)
        for (before, _), after in zip(savings, saved, strict=True):
            if after.status is not before.status:
                self._executions.on_move(after)
        return saved

    def card(self, batch_id: str) -> BatchCard:
        """Return where a batch is shown."""
        with self._database.reading() as session:
            row = _find(session, batch_id)
        return BatchCard(batch_id=batch_id, channel=row.card_channel, **row.model_dump(include=set(_CARD)))

    def put_card(self, card: BatchCard) -> None:
        """Store where a batch is shown. The last writer wins: that is what stands in the channel now."""
        shown = {name: getattr(card, name) for name in _CARD}
        with self._database.writing() as session:
            session.exec(_change(card.batch_id).values(card_channel=card.channel, **shown))

    def outdated(self, now: datetime, limit: int = 50) -> list[str]:
        """Return ids of batches whose card is behind an item's state, and due, or whose outcome is; the longest due first."""
        total = func.sum(ExecutionRow.version) + col(BatchRow.refusals)
        was_tried = and_(col(BatchRow.attempted_total) >= total, col(BatchRow.next_attempt_at).is_not(None))
        is_due = or_(col(BatchRow.attempted_total) < total, _is_due(now))
        since = case((was_tried, col(BatchRow.next_attempt_at)), else_=col(BatchRow.created_at))
        wanted = (
            select(BatchRow.batch_id)
            .join(BatchItemRow, col(BatchItemRow.batch_id) == col(BatchRow.batch_id))
            .join(ExecutionRow, col(ExecutionRow.execution_id) == col(BatchItemRow.execution_id))
            .where(col(BatchRow.channel) != "")
            .group_by(col(BatchRow.batch_id))
            .having(or_(and_(col(BatchRow.drawn_total) < total, is_due), _is_untold(now)))
            .order_by(since, col(BatchRow.batch_id))
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.exec(wanted))

    def claim(self, batch_id: str, outcome: str, now: datetime) -> bool:
        """Take it upon oneself to tell what came of a batch; False where somebody did already."""
        untold = _change(batch_id).where(or_(col(BatchRow.told) != outcome, _is_untold(now)))
        with self._database.writing() as session:
            return bool(session.exec(untold.values(told=outcome, told_due_at=None)).rowcount)

    def put_off(self, batch_id: str, outcome: str, *, until: datetime) -> None:
        """Give a claim back; see `Batches.put_off`."""
        mine = _change(batch_id).where(col(BatchRow.told) == outcome)
        with self._database.writing() as session:
            session.exec(mine.values(told_due_at=until))


def _is_due(now: datetime) -> ColumnElement[bool]:
    rested = has_come(col(BatchRow.next_attempt_at), now, longest=LONGEST_REST)
    return or_(col(BatchRow.next_attempt_at).is_(None), rested)


def _is_untold(now: datetime) -> ColumnElement[bool]:
    return has_come(col(BatchRow.told_due_at), now, longest=LONGEST_REST)


def _change(batch_id: str) -> Update:
    return update(BatchRow).where(col(BatchRow.batch_id) == batch_id)


def _find(session: Session, batch_id: str) -> BatchRow:
    row = session.exec(select(BatchRow).where(BatchRow.batch_id == batch_id)).first()
    if row is None:
        raise NotFoundError(f"there is no batch {batch_id[:80]}")
    return row


def _rows_of(batch_id: str) -> Select[Any]:
    mine = and_(
        col(BatchItemRow.execution_id) == EXECUTIONS.c.execution_id, col(BatchItemRow.batch_id) == batch_id
    )
    return core_select(EXECUTIONS).join(table_of(BatchItemRow), mine).order_by(col(BatchItemRow.position))


def _item(batch: Batch, position: int, execution: PlaybookExecution) -> BatchItemRow:
    return BatchItemRow(batch_id=batch.batch_id, position=position, execution_id=execution.execution_id)


def _to_row(batch: Batch) -> BatchRow:
    return BatchRow(
        batch_id=batch.batch_id,
        playbook_id=column_text(batch.playbook_id),
        playbook_name=column_text(batch.playbook_name),
        requester=batch.requester.to_dict(),
        created_at=batch.created_at,
        channel=batch.channel,
        left_out=[{key: column_text(said) for key, said in asdict(each).items()} for each in batch.left_out],
        refused=dict(batch.refused),
        refusals=batch.refusals,
        told="",
        told_due_at=None,
        card_channel="",
        message_id="",
        progress_id="",
        drawn_total=0,
        drawn_at=None,
        attempts=0,
        attempted_total=0,
        next_attempt_at=None,
    )


def _to_batch(row: BatchRow, execution_ids: tuple[str, ...]) -> Batch:
    return Batch(
        batch_id=row.batch_id,
        playbook_id=row.playbook_id,
        playbook_name=row.playbook_name,
        requester=Actor(**row.requester),
        created_at=row.created_at,
        channel=row.channel,
        execution_ids=execution_ids,
        left_out=tuple(LeftOut(**each) for each in row.left_out),
        refused=row.refused,
        refusals=row.refusals,
    )
