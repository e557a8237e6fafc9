"""`/playbook exceptions [end ID]`."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from audit.errors import InputError
from handlers.blocks.paging import Page, PageRef
from handlers.blocks.parts import Message, context, fit, header, section
from handlers.blocks.texts import code, escape, mention, moment
from handlers.services import Services
from remediation.ending import ExceptionEnds
from remediation.excepted import FindingException
from remediation.ports import Request

EXCEPTIONS = "exceptions"
_MOST = 10
_END = "end"


def answer_exceptions(services: Services, request: Request, words: Sequence[str]) -> Message:
    """List the exceptions that hold, or end one.

    Raises:
        InputError: the words are others than `end ID`.
        NotFoundError: there is no such exception.
        RefusedError: it has ended already, or this person may not end it.
    """
    if not words:
        return show_exceptions(services, request, PageRef(EXCEPTIONS))
    if len(words) != 2 or words[0].lower() != _END:  # noqa: PLR2004 - a word and an id
        raise InputError("To end an exception before its time: `/playbook exceptions end ID`.")
    ends = ExceptionEnds(services.remediation, services.exceptions)
    ended = ends.end_early(words[1], request.actor)
    return Message(
        f"The exception for {escape(ended.finding.title, 300)} is over: {code(ended.finding.handle, 40)} counts again."
    )


def show_exceptions(services: Services, _request: Request, ref: PageRef) -> Message:
    """Show a page of the exceptions that hold, the one that ends first before the others."""
    store = services.exceptions
    return build_exceptions(
        Page.read(ref, lambda limit, offset: store.open(limit=limit, offset=offset), size=_MOST)
    )


def build_exceptions(page: Page[FindingException]) -> Message:
    """Return a page of the exceptions that hold."""
    found = page.items
    if not found and page.ref.offset:
        return page.nothing_more("exceptions")
    if not found:
        return Message("No exceptions: no finding is left as it is on purpose.")

    def build(room: int) -> list[Block]:
        return [
            header(page.title("Exceptions")),
            *(section(_line(exception, min(room, 200))) for exception in found),
            *page.buttons(),
            context("`/playbook exceptions end ID` ends one before its time."),
        ]

    if not page.is_whole:
        return Message(f"{page.title('Exceptions')} hold.", fit(build))
    text = f"{len(found)} exceptions hold." if len(found) > 1 else "1 exception holds."
    return Message(text, fit(build))


def _line(exception: FindingException, room: int) -> str:
    finding = exception.finding
    return (
        f"{code(exception.exception_id, 40)}  {escape(finding.title, room)} {code(finding.handle, 40)}, "
        f"until {moment(exception.until)}, {mention(exception.owner)} answers for it: {escape(exception.reason, room)}"
    )
