"""Rollbacks of batches that were ordered and are not over, in the database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from audit.actor import Actor
from audit.errors import StateError
from audit.trail import TrailEvent
from remediation.batches import ReturnItem, ReturnOrder
from storage.batch_tables import BatchReturnRow, BatchRow
from storage.columns import column_text
from storage.database import Database
from storage.owners import heard_of, refuse_heard_since
from storage.tables import OwnerRow
from storage.trail import append_all_in

_FASTER = "somebody was faster with the rollback of this batch"


class SqlReturns:
    """Implements `remediation.batches.Returns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, order: ReturnOrder, event: TrailEvent) -> None:
        """Store an order; see `Returns.put`."""
        try:
            with self._database.writing() as session:
                session.add(_to_row(order))
                session.flush()
                _note(session, order.batch_id, {})
                append_all_in(session, [event])
        except IntegrityError:
            raise StateError("a rollback of this batch is under way already") from None

    def get(self, batch_id: str) -> ReturnOrder | None:
        """Return the order that is not over."""
        with self._database.reading() as session:
            row = session.exec(select(BatchReturnRow).where(BatchReturnRow.batch_id == batch_id)).first()
            return _to_order(row) if row else None

    def left(self, owner: str, now: datetime) -> list[str]:
        """Return the batches whose order nobody else works on; see `Returns.left`."""
        alive = select(OwnerRow.owner_id).where(heard_of(now), col(OwnerRow.owner_id) != owner)
        free = select(BatchReturnRow.batch_id).where(col(BatchReturnRow.owner).not_in(alive))
        with self._database.reading() as session:
            return list(session.exec(free.order_by(col(BatchReturnRow.ordered_at))))

    def take_over(
        self, order: ReturnOrder, owner: str, event: TrailEvent, *, last_heard: datetime | None
    ) -> ReturnOrder:
        """Make an order another owner's; see `Returns.take_over`."""
        taken = replace(order, owner=owner, takeovers=order.takeovers + 1)
        with self._database.writing() as session:
            refuse_heard_since(session.connection(), order.owner, last_heard)
            change = update(BatchReturnRow).values(owner=taken.owner, takeovers=taken.takeovers)
            _require_one(session.exec(change.where(*_is(order))))
            append_all_in(session, [event])
        return taken

    def end(self, order: ReturnOrder, refused: Mapping[str, str], event: TrailEvent) -> None:
        """Note that an order is over; see `Returns.end`."""
        with self._database.writing() as session:
            _require_one(session.exec(delete(BatchReturnRow).where(*_is(order))))
            _note(session, order.batch_id, refused)
            append_all_in(session, [event])


def _note(session: Session, batch_id: str, refused: Mapping[str, str]) -> None:
    """Store why items stay as they are, in place of what was noted before; the card is due to be drawn."""
    told = {name: column_text(why) for name, why in refused.items()}
    change = update(BatchRow).where(col(BatchRow.batch_id) == batch_id)
    session.exec(change.values(refused=told, refusals=col(BatchRow.refusals) + 1))


def _is(order: ReturnOrder) -> tuple[Any, ...]:
    """Return the conditions that an order still is as it was read."""
    return (
        col(BatchReturnRow.batch_id) == order.batch_id,
        col(BatchReturnRow.owner) == order.owner,
        col(BatchReturnRow.takeovers) == order.takeovers,
    )


def _require_one(result: CursorResult[Any]) -> None:
    if result.rowcount != 1:
        raise StateError(_FASTER)


def _to_row(order: ReturnOrder) -> BatchReturnRow:
    return BatchReturnRow(
        batch_id=order.batch_id,
        actor=order.actor.to_dict(),
        ordered_at=order.ordered_at,
        items=[[each.execution_id, each.revision, each.shown] for each in order.items],
        owner=order.owner,
        takeovers=order.takeovers,
    )


def _to_order(row: BatchReturnRow) -> ReturnOrder:
    return ReturnOrder(
        batch_id=row.batch_id,
        actor=Actor(**row.actor),
        ordered_at=row.ordered_at,
        items=tuple(
            ReturnItem(execution_id=str(name), revision=int(revision), shown=int(shown))
            for name, revision, shown in row.items
        ),
        owner=row.owner,
        takeovers=row.takeovers,
    )
