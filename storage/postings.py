"""Cards in the database."""

from sqlalchemy import and_, or_
from sqlmodel import col, select

from remediation.ports import Posting
from storage.database import Database
from storage.tables import ExecutionRow, PostingRow


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
            session.merge(
                PostingRow(
                    execution_id=posting.execution_id,
                    revision=posting.revision,
                    channel=posting.channel,
                    message_id=posting.message_id,
                    progress_id=posting.progress_id,
                    drawn_version=posting.drawn_version,
                )
            )

    def outdated(self, limit: int = 50) -> list[str]:
        """Return ids of executions whose newest card is missing or older than their state, oldest first.

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
        wanted = (
            select(ExecutionRow.execution_id)
            .outerjoin(PostingRow, newest_card)
            .where(col(ExecutionRow.channel) != "", behind)
            .order_by(col(ExecutionRow.created_at), col(ExecutionRow.execution_id))
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.exec(wanted))
