"""Which findings somebody means who asks for more than one: named one by one, or searched for."""

from collections.abc import Callable, Sequence
from datetime import datetime

from audit.errors import InputError, RefusedError
from audit.finding_query import OVERDUE, parse_query
from audit.findings import Finding
from audit.lifecycle import OPEN_STATES
from audit.ports import FindingTracker
from remediation.batches import LeftOut
from remediation.batching import leave_out
from remediation.matching import sure_match
from remediation.playbook import RemediationPlaybook

# Who finds more than a few screens full wants a narrower search, not a longer list.
MOST_MATCHES = 200
_KINDS = ("severity:", "account:", "region:", "check:", "status:", "text:")
_HANDLE = "f-"
Chosen = tuple[list[Finding], list[LeftOut]]


def are_many(words: Sequence[str]) -> bool:
    """Tell whether words mean a batch: more than one name, or a search, whatever it finds."""
    return len(words) > 1 or any(map(_is_search, words))


def choose_findings(
    playbook: RemediationPlaybook,
    words: Sequence[str],
    *,
    find: Callable[[str], Finding],
    tracker: FindingTracker,
    now: datetime,
) -> Chosen:
    """Return the findings that words name or search for, and those of a search that the playbook is not for.

    Args:
        playbook: what is to be done about them.
        words: handles and ids, or the words of `/report findings`.
        find: finds one by its name.
        tracker: searches among all.
        now: the time.

    Raises:
        NotFoundError: no finding, or more than one, goes by one of the names.
        InputError: the search cannot be understood, asks for what is not open, or is mixed with names.
        RefusedError: nothing that the playbook answers is found, or far too much.
    """
    if not any(map(_is_search, words)):
        return [find(word) for word in words], []
    if any(word.casefold().startswith(_HANDLE) for word in words):
        raise InputError("Name findings, or search for them, but not both at once.")
    return _search(playbook, words, tracker, now)


def _is_search(word: str) -> bool:
    """Tell whether people search with a word, so that it is no finding's name."""
    return word.casefold() == OVERDUE or word.casefold().startswith(_KINDS)


def _search(
    playbook: RemediationPlaybook, words: Sequence[str], tracker: FindingTracker, now: datetime
) -> Chosen:
    query = parse_query(words)
    if not query.states <= OPEN_STATES:
        raise InputError("Only what is open can be fixed: leave status: out, or say new, open or regressed.")
    page = tracker.search(query, now=now, limit=MOST_MATCHES)
    if page.total > len(page.items):
        raise RefusedError(
            f"{page.total:,} findings match, and nobody looks through so many. Narrow the search, with check: or account: for example."
        )
    only = {playbook.playbook_id: playbook}
    fits = [item.finding for item in page.items if sure_match(item.finding, only)]
    if not fits:
        raise RefusedError(
            f"{page.total or 'No'} open findings match, and {playbook.playbook_id} answers none of them. "
            f"`/playbook show {playbook.playbook_id}` names the checks it answers."
        )
    why = f"{playbook.playbook_id} does not answer this check"
    return fits, [leave_out(item.finding, why) for item in page.items if item.finding not in fits]
