"""`/playbook run` for several findings at once: named one by one, or searched for."""

from collections.abc import Sequence
from functools import partial

import structlog

from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape, place
from handlers.commands.playbook import find_card_channel, find_finding, run_playbook
from handlers.requests import batch_id_for
from handlers.services import Services
from remediation.batches import Batch
from remediation.batching import Batching
from remediation.choosing import are_many, choose_findings
from remediation.library import find_playbook
from remediation.ports import Request

_TOLD = 10


def run_one_or_many(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Plan a fix, or a batch of them where more than one finding is named, or searched for.

    Raises:
        CountersignError: it cannot be done; the text says why.
    """
    if not are_many(words[1:]):
        return run_playbook(services, request, words)
    playbook = find_playbook(words[0], services.playbooks)
    channel, batch_id = find_card_channel(services, request), batch_id_for(request)
    structlog.contextvars.bind_contextvars(batch_id=batch_id)
    find = partial(find_finding, services)
    now, tracker = services.clock(), services.tracker
    findings, left_out = choose_findings(playbook, words[1:], find=find, tracker=tracker, now=now)
    batch = Batching(services.remediation, services.batches).ask(
        playbook, findings, request.actor, batch_id=batch_id, channel=channel, left_out=left_out
    )
    services.dispatcher.submit("batch", batch_id)
    return _outcome(batch)


def _outcome(batch: Batch) -> Message:
    """Say privately what came of a request."""
    count = len(batch.execution_ids)
    words = (
        f"Planned {escape(batch.playbook_name, 200)} for {count} {'findings' if count > 1 else 'finding'}. "
        f"The card is in {place(batch.channel)}."
    )
    lines = [f"• {code(each.finding, 40)}: {escape(each.why, 300)}" for each in batch.left_out[:_TOLD]]
    left = len(batch.left_out) - _TOLD
    more = [f"… and {left} more, named on the card"] if left > 0 else []
    return Message("\n".join([words, *(["Left out:"] if lines else []), *lines, *more]))
