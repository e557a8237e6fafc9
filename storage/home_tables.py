"""The tables of whom to keep informed."""

from datetime import datetime

from sqlmodel import Field

from storage.tables import Row


class HomeRow(Row, table=True):
    """A person who has opened their home. Up to date while `drawn` is `changes`, and `report_id` the newest report."""

    __tablename__ = "homes"

    workspace: str = Field(primary_key=True)
    slack_id: str = Field(primary_key=True)
    opened_at: datetime
    changes: int
    drawn: int
    report_id: str
    begun_at: datetime | None


class OutcomeRow(Row, table=True):
    """An outcome that somebody claimed to tell. `due_at` is set where it was given back, to be tried again then."""

    __tablename__ = "outcomes"

    execution_id: str = Field(primary_key=True, foreign_key="executions.execution_id")
    status: str = Field(primary_key=True)
    due_at: datetime | None


class HomePictureRow(Row, table=True):
    """A picture for homes; see `remediation.home_pictures.HomePicture`. `replaced_at` is None for the newest alone."""

    __tablename__ = "home_pictures"

    digest: str = Field(primary_key=True)
    file_id: str
    is_ready: bool
    since: datetime
    due_at: datetime | None
    replaced_at: datetime | None
