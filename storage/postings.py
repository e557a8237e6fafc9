"""Cards in the database."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import and_, case, or_, true
from sqlmodel import col, select

from remediation.ports import LONGEST_REST, Posting
from storage.database import Database
from storage.tables import ExecutionRow, PostingRow
from storage.waiting import has_come

# A card that was tried in vain waits its turn; one of a state that nobody has tried yet has waited since it was asked for.
_WAS_TRIED = and_(
    col(PostingRow.attempted_version) == col(ExecutionRow.version),
    col(PostingRow.next_attempt_at).is_not(None),
)
_DUE_SINCE = case((_WAS_TRIED, col(PostingRow.next_attempt_at)), else_=col(ExecutionRow.created_at))


class SqlPostings:
    """Implements `remediation.ports.Postings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def postings(self, execution_id: str) -> list[Posting]:
        """Return an execution's cards, oldest revision first."""
        cards = select(PostingRow).where(PostingRow.execution_id == execution_id)
        with self._database.reading() as session:
            rows = session.exec(cards.order_by(col(PostingRow.revision))).all()
            return [Posting(**row.model_dump()) for row in rows]

    def put(self, posting: Posting) -> None:
        """Store a card, or what changed about it.

        The last writer wins, even with an older `drawn_version`: that is what stands in the channel now, and
        `outdated` will have it drawn again.
        """
        with self._database.writing() as session:
            session.merge(PostingRow(**asdict(posting)))

    def outdated(self, now: datetime, limit: int = 50) -> list[str]:
        """Return ids of executions whose newest card is missing or older than their state, and due, the longest due first.

        Executions without a channel were asked for elsewhere and have no card.
        """
        newest_card = and_(
            col(PostingRow.execution_id) == col(ExecutionRow.execution_id),
            col(PostingRow.revision) == col(ExecutionRow.revision),
        )
        behind = or_(
            col(PostingRow.execution_id).is_(None),
            col(PostingRow.drawn_version) < col(ExecutionRow.version),
        )
        rested = has_come(col(PostingRow.next_attempt_at), now, longest=LONGEST_REST)
        is_due = case((_WAS_TRIED, rested), else_=true())
        wanted = (
            select(ExecutionRow.execution_id)
            .outerjoin(PostingRow, newest_card)
            .where(col(ExecutionRow.channel) != "", behind, is_due)
            .order_by(_DUE_SINCE, col(ExecutionRow.execution_id))
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.exec(wanted))
