"""`/report findings | compare | trend`, and the buttons that turn the pages of a search."""

from collections.abc import Sequence
from dataclasses import replace

from audit.errors import NotFoundError
from audit.finding_query import parse_query, spell_query
from handlers.blocks.findings import PageRef, build_comparison, build_findings
from handlers.blocks.lists import Fixable
from handlers.blocks.names import SHOW_FINDINGS
from handlers.blocks.parts import Message
from handlers.blocks.texts import to_sentence
from handlers.requests import said
from handlers.services import Services
from remediation.matching import sure_match
from remediation.ports import Request

PAGE_SIZE = 8
_WORST = 5


def search_findings(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show the first page of a search.

    Raises:
        InputError: a word is none of ours; names the nearest.
    """
    return _page(services, PageRef(tuple(spell_query(parse_query(words))), 0))


def turn_page(services: Services, request: Request) -> Message:
    """Show a page of a search: another one, in place of the one that the button was on, or the first one of a channel's message.

    Raises:
        InputError: the button is none of ours.
    """
    page = _page(services, PageRef.parse(said(request, "value")))
    # A button in a channel is everybody's: what it stands on stays.
    return replace(page, replaces=said(request, "action_id") != SHOW_FINDINGS)


def _page(services: Services, ref: PageRef) -> Message:
    query = parse_query(ref.words)
    page = services.tracker.search(query, now=services.clock(), offset=ref.offset, limit=PAGE_SIZE)
    fixables = []
    for item in page.items:
        match = sure_match(item.finding, services.playbooks) if item.is_open else None
        fixables.append(Fixable(item.finding, match.playbook.playbook_id if match else ""))
    return build_findings(page, ref, fixables, size=PAGE_SIZE, is_settling=services.tracker.is_behind())


def compare_reports(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show what changed between two reports.

    Raises:
        NotFoundError: no report, or more than one, goes by one of the names.
    """
    try:
        return build_comparison(services.tracker.compare(words[0], words[1], limit=_WORST))
    except NotFoundError as error:
        raise NotFoundError(f"{to_sentence(str(error))} `/report list` shows the newest.") from error
