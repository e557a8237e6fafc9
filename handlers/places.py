"""Where an execution is shown: on a card of its own, or on that of the batch it was asked for in."""

from handlers.posting import Posted
from handlers.services import Services


def find_card(services: Services, execution_id: str) -> Posted | None:
    """Return where the newest card about an execution stands; None where there is none.

    Raises:
        NotFoundError: there is no such execution.
    """
    for posting in reversed(services.postings.postings(execution_id)):
        if posting.message_id:
            return Posted(posting.channel, posting.message_id)
    batch_id = services.executions.get(execution_id).batch_id
    if not batch_id:
        return None
    card = services.batches.card(batch_id)
    return Posted(card.channel, card.message_id) if card.message_id else None
