"""`/report findings | compare`."""

from collections.abc import Sequence

from audit.errors import NotFoundError
from audit.finding_query import parse_query, spell_query
from handlers.blocks.findings import build_comparison, build_findings
from handlers.blocks.lists import Fixable
from handlers.blocks.paging import FINDINGS, Page, PageRef
from handlers.blocks.parts import Message
from handlers.blocks.texts import to_sentence
from handlers.services import Services
from remediation.matching import sure_match
from remediation.ports import Request

PAGE_SIZE = 8
_WORST = 5


def search_findings(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Show the first page of a search.

    Raises:
        InputError: a word is none of ours; names the nearest.
    """
    return show_findings(services, request, PageRef(FINDINGS, tuple(spell_query(parse_query(words)))))


def show_findings(services: Services, _request: Request, ref: PageRef) -> Message:
    """Show a page of a search.

    Raises:
        InputError: a word is none of ours; names the nearest.
    """
    query = parse_query(ref.words)
    found = services.tracker.search(query, now=services.clock(), offset=ref.offset, limit=PAGE_SIZE)
    fixables = []
    for item in found.items:
        match = sure_match(item.finding, services.playbooks) if item.is_open else None
        fixables.append(Fixable(item.finding, match.playbook.playbook_id if match else ""))
    has_more = ref.offset + len(found.items) < found.total
    page = Page(ref=ref, items=found.items, has_more=has_more, size=PAGE_SIZE)
    return build_findings(page, fixables, total=found.total, is_settling=services.tracker.is_behind())


def compare_reports(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Show what changed between two reports.

    Raises:
        NotFoundError: no report, or more than one, goes by one of the names.
    """
    try:
        return build_comparison(services.tracker.compare(words[0], words[1], limit=_WORST))
    except NotFoundError as error:
        raise NotFoundError(f"{to_sentence(str(error))} `/report list` shows the newest.") from error
