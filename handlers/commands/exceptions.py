"""`/playbook exceptions [end ID]`."""

from collections.abc import Sequence

from audit.errors import InputError
from handlers.blocks.parts import Message, join_first, section
from handlers.blocks.texts import code, escape, mention, moment
from handlers.services import Services
from remediation.ending import ExceptionEnds
from remediation.excepted import FindingException
from remediation.ports import Request

_LONGEST = 2900
_END = "end"


def answer_exceptions(services: Services, request: Request, words: Sequence[str]) -> Message:
    """List the exceptions that hold, or end one.

    Raises:
        InputError: the words are others than `end ID`.
        NotFoundError: there is no such exception.
        RefusedError: it has ended already, or this person may not end it.
    """
    if not words:
        return build_exceptions(services.exceptions.open())
    if len(words) != 2 or words[0].lower() != _END:  # noqa: PLR2004 - a word and an id
        raise InputError("To end an exception before its time: `/playbook exceptions end ID`.")
    ends = ExceptionEnds(services.remediation, services.exceptions)
    ended = ends.end_early(words[1], request.actor)
    return Message(
        f"The exception for {escape(ended.finding.title, 300)} is over: {code(ended.finding.handle, 40)} counts again."
    )


def build_exceptions(exceptions: Sequence[FindingException]) -> Message:
    """Return the exceptions that hold, the one that ends first before the others."""
    if not exceptions:
        return Message("No exceptions: no finding is left as it is on purpose.")
    lines = [_line(exception) for exception in exceptions]
    text = f"{len(exceptions)} exceptions hold." if len(exceptions) > 1 else "1 exception holds."
    return Message(text, (section(join_first(lines, _LONGEST)),))


def _line(exception: FindingException) -> str:
    finding = exception.finding
    return (
        f"• {code(exception.exception_id, 40)}  {escape(finding.title, 200)} {code(finding.handle, 40)}, "
        f"until {moment(exception.until)}, {mention(exception.owner)} answers for it: {escape(exception.reason, 200)}"
    )
