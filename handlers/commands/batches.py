"""`/playbook run` for several findings at once: named one by one, or searched for."""

from collections.abc import Sequence

import structlog

from audit.errors import InputError, RefusedError
from audit.finding_query import OVERDUE, parse_query
from audit.findings import Finding
from audit.lifecycle import OPEN_STATES
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape, place
from handlers.commands.playbook import find_card_channel, find_finding, run_playbook
from handlers.requests import batch_id_for
from handlers.services import Services
from remediation.batches import Batch, LeftOut
from remediation.batching import Batching, leave_out
from remediation.library import find_playbook
from remediation.matching import sure_match
from remediation.playbook import RemediationPlaybook
from remediation.ports import Request

# Who asks for more than a screen of findings wants a narrower search, not a longer list.
MOST_MATCHES = 200
_KINDS = ("severity:", "account:", "region:", "check:", "status:", "text:")
_ONE = 2
_TOLD = 10


def run_one_or_many(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Plan a fix, or a batch of them where more than one finding is named, or searched for.

    Raises:
        CountersignError: it cannot be done; the text says why.
    """
    if len(words) <= _ONE and not any(map(is_search, words[1:])):
        return run_playbook(services, request, words)
    playbook = find_playbook(words[0], services.playbooks)
    channel = find_card_channel(services, request)
    batch_id = batch_id_for(request)
    structlog.contextvars.bind_contextvars(batch_id=batch_id)
    findings, left_out = find_all(services, playbook, words[1:])
    batch = Batching(services.remediation, services.batches).ask(
        playbook, findings, request.actor, batch_id=batch_id, channel=channel, left_out=left_out
    )
    services.dispatcher.submit("batch", batch_id)
    return _outcome(batch)


def find_all(
    services: Services, playbook: RemediationPlaybook, words: Sequence[str]
) -> tuple[list[Finding], list[LeftOut]]:
    """Return the findings that words name or search for, and those of them that the playbook is not for.

    Raises:
        NotFoundError: no finding, or more than one, goes by one of the names.
        InputError: the search cannot be understood, or is mixed with names.
        RefusedError: nothing, or far too much, is found.
    """
    searching = list(map(is_search, words))
    if not any(searching):
        return [find_finding(services, word) for word in words], []
    if any(word.casefold().startswith("f-") for word in words):
        raise InputError("Name findings, or search for them, but not both at once.")
    return _search(services, playbook, words)


def is_search(word: str) -> bool:
    """Tell whether a word is one that people search with, and no finding's name."""
    return word.casefold() == OVERDUE or word.casefold().startswith(_KINDS)


def _search(
    services: Services, playbook: RemediationPlaybook, words: Sequence[str]
) -> tuple[list[Finding], list[LeftOut]]:
    query = parse_query(words)
    if not query.states <= OPEN_STATES:
        raise InputError("Only what is open can be fixed: leave status: out, or say new, open or regressed.")
    page = services.tracker.search(query, now=services.clock(), limit=MOST_MATCHES)
    if page.total > len(page.items):
        raise RefusedError(
            f"{page.total:,} findings match. Narrow the search, with check: or account: for example; nobody looks through so many."
        )
    only = {playbook.playbook_id: playbook}
    fits = [item.finding for item in page.items if sure_match(item.finding, only)]
    others = [item.finding for item in page.items if not sure_match(item.finding, only)]
    if not fits:
        raise RefusedError(
            f"{len(others) or 'No'} open findings match, and {playbook.playbook_id} answers none of them. "
            f"`/playbook show {playbook.playbook_id}` names the checks it answers."
        )
    why = f"{playbook.playbook_id} does not answer this check"
    return fits, [leave_out(finding, why) for finding in others]


def _outcome(batch: Batch) -> Message:
    """Say privately what came of a request."""
    count = len(batch.execution_ids)
    words = (
        f"Planned {escape(batch.playbook_name, 200)} for {count} {'findings' if count > 1 else 'finding'}. "
        f"The card is in {place(batch.channel)}."
    )
    lines = [f"• {code(each.finding, 40)}: {escape(each.why, 300)}" for each in batch.left_out[:_TOLD]]
    more = (
        [f"… and {len(batch.left_out) - _TOLD} more, named on the card"]
        if len(batch.left_out) > _TOLD
        else []
    )
    return Message("\n".join([words, *(["Left out:"] if lines else []), *lines, *more]))
