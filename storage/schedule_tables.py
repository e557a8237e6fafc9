"""The tables of schedules and of what became of each time they were due."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.columns import JsonColumn
from storage.tables import Row


class ScheduleRow(Row, table=True):
    """A schedule. `rev` tells clocks that it changed, `watermark` which slots were dealt with."""

    __tablename__ = "schedules"
    __table_args__ = (Index("ix_schedules_next_at", "next_at"),)

    schedule_id: str = Field(primary_key=True)
    kind: str
    cron: str
    zone: str
    channel: str
    recipients: list[str] = Field(sa_type=JsonColumn)
    format: str
    source: str
    owner: dict[str, str] = Field(sa_type=JsonColumn)
    created_at: datetime
    watermark: datetime
    next_at: datetime
    paused_because: str
    failures: int
    rev: int


class FireRow(Row, table=True):
    """One sending. UNIQUE on the slot is what keeps two processes from sending it twice."""

    __tablename__ = "fires"
    __table_args__ = (
        Index("uq_fires_slot", "schedule_id", "slot", unique=True),
        Index("ix_fires_waiting", "state", "not_before"),
    )

    fire_id: str = Field(primary_key=True)
    schedule_id: str = Field(foreign_key="schedules.schedule_id")
    slot: str
    due_at: datetime
    not_before: datetime
    missed: int
    state: str
    attempts: int
    parts: list[str] = Field(sa_type=JsonColumn)
    error: str
    asked_by: dict[str, str] | None = Field(sa_type=JsonColumn)
    excused: int
    to_mend: bool
