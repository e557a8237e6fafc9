"""The tables of batches: what binds executions, and where that is shown."""

from datetime import datetime

from sqlmodel import Field

from storage.columns import JsonColumn
from storage.tables import Row


class BatchRow(Row, table=True):
    """A batch and its card.

    `refusals` counts how often `refused` was noted. `told` is the outcome that somebody claimed to tell last, empty where nobody has;
    `told_due_at` is when it is to be tried again, none where it is not.
    """

    __tablename__ = "batches"

    batch_id: str = Field(primary_key=True)
    playbook_id: str
    playbook_name: str
    requester: dict[str, str] = Field(sa_type=JsonColumn)
    created_at: datetime
    channel: str
    left_out: list[dict[str, str]] = Field(sa_type=JsonColumn)
    refused: dict[str, str] = Field(sa_type=JsonColumn)
    refusals: int
    told: str
    told_due_at: datetime | None
    card_channel: str
    message_id: str
    progress_id: str
    drawn_total: int
    drawn_at: datetime | None
    attempts: int
    attempted_total: int
    next_attempt_at: datetime | None


class BatchReturnRow(Row, table=True):
    """A rollback of a batch that was ordered and is not over: which items, with what each was shown, and who works on it."""

    __tablename__ = "batch_returns"

    batch_id: str = Field(primary_key=True, foreign_key="batches.batch_id")
    actor: dict[str, str] = Field(sa_type=JsonColumn)
    ordered_at: datetime
    items: list[list[str | int]] = Field(sa_type=JsonColumn)
    owner: str
    takeovers: int


class BatchItemRow(Row, table=True):
    """An execution at its place in a batch."""

    __tablename__ = "batch_items"

    batch_id: str = Field(primary_key=True, foreign_key="batches.batch_id")
    position: int = Field(primary_key=True)
    execution_id: str = Field(foreign_key="executions.execution_id", unique=True)
