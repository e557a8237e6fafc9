"""Tables for findings that are fetched page by page: they wait here until the last page has come."""

from datetime import datetime

from sqlmodel import Field

from storage.columns import JsonColumn
from storage.tables import Row


class PullRow(Row, table=True):
    """A fetch under way."""

    __tablename__ = "pulls"

    pull_key: str = Field(primary_key=True)
    began_at: datetime
    filters: dict[str, object] = Field(sa_type=JsonColumn)
    pages: int
    cursor: str
    is_complete: bool


class PullPageRow(Row, table=True):
    """A page of a fetch: `body` is its list of findings as JSON bytes."""

    __tablename__ = "pull_pages"

    pull_key: str = Field(primary_key=True, foreign_key="pulls.pull_key")
    position: int = Field(primary_key=True)
    body: bytes
